using Xunit.Sdk;
using Xunit.v3;

// Every test starts processes; one after the other they have the machine to themselves.
[assembly: Parallelization(Mode = ParallelMode.None)]
