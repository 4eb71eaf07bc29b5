using Xunit.Sdk;

// Every test starts processes; one after the other they have the machine to themselves.
[assembly: Parallelization(ParallelMode.None)]
