/// The families of metrics that listeners have.
enum ListenerFamilies {
    private static let counters: StaticString = """
        listener_accepted
        Clients let in.
        listener_timed_out
        Clients whose heartbeats failed.
        listener_broadcasts
        Broadcasts to one client at least.
        listener_broadcast_deliveries
        Messages of broadcasts that clients' queues took.
        listener_broadcast_left_out
        Messages of broadcasts that clients' queues did not take.
        """
    /// Too many clients; no proper request; origin not allowed; what the application refused; gone, or out of time, before it had asked.
    private static let reasons: StaticString = """
        reason="full" reason="request" reason="origin" reason="application" reason="unfinished"
        """
    private static let gauges: StaticString = """
        listener_clients
        Clients that are let in at present.
        """

    static func write(_ rows: [MetricsRow], to text: inout OpenMetricsText) {
        text.families(.counter, counters, rows, at: 0)
        text.family(
            .counter, "listener_refused", "Clients not let in, by reason.", by: reasons, rows,
            at: ListenerCounts.Counter.refusedFull.rawValue)
        text.families(.gauge, gauges, rows, at: ListenerCounts.Counter.clients.rawValue)
    }
}
