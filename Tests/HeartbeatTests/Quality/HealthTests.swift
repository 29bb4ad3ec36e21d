import Heartbeat
import Testing

struct HealthTests {
    @Test(
        arguments: [
            ([], .unknown), ([.unknown], .unknown), ([.unknown, .healthy], .healthy), ([.healthy, .unknown], .healthy),
            ([.healthy, .warning, .healthy], .warning), ([.warning, .error], .error), ([.error, .warning, .unknown], .error),
            ([.unknown, .error, .healthy], .error), ([.healthy, .healthy], .healthy),
        ] as [([Health], Health)])
    func theWorstOfSeveralIsTheConnections(signals: [Health], expected: Health) {
        #expect(Health.worst(of: signals) == expected)
    }
}
