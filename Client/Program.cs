using EdgeOrleans.Client;

return await EdgeCtl.RunAsync(args, Terminal.OfProcess());
