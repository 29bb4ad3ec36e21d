import Heartbeat

/// Watches one client for one promise.
class Checker {
    unowned(unsafe) let client: Client
    var plan: ClientPlan { client.plan }
    var world: World { client.world }
    /// The client's monotonic clock.
    var now: Instant { client.world.machine.clock }

    init(_ client: Client) {
        self.client = client
    }

    func see(_ fact: Fact) {}

    final func fail(_ text: String) {
        world.fail("\(type(of: self))", "client \(client.number): \(text)")
    }

    final func expect(_ holds: Bool, _ text: @autoclosure () -> String) {
        if !holds { fail(text()) }
    }

    /// A moment, and how long the process had been frozen by then.
    struct Mark {
        let time: Instant
        let frozen: Interval
    }

    final var mark: Mark { client.mark }

    /// How much later than its time something may come since then: turns of the loop, and what kept the process from running.
    final func slack(since mark: Mark) -> Interval {
        world.plan.lateness * 4 + .milliseconds(1) + (world.machine.frozen - mark.frozen)
    }
}
