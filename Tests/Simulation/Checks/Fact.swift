import Heartbeat
import Session
import WebSocket

/// What checkers see of a client's life. Server and network tell what is; the client's own account is what has to agree with it.
enum Fact {
    // The application's doings.
    case began
    case accepted(Outgoing)
    case refused(Outbox.Admission, size: Int)
    case closeAsked(CloseFrame)
    case releaseAsked

    // What the library tells or does.
    case attemptBegan
    case transportOpened(Line)
    case read(bytes: Int)
    case wrote(offered: Int, taken: Int)
    case delivered([UInt8], MessagePart)
    case event(Event)
    case released
    case settled

    // What is true of the server.
    case serverOpened(Peer)
    case serverGot(Got)
    case serverSent(Peer, Sent)
    case serverEnded(Peer)
    case pingArrived(Peer, Int, Instant)
    case requestArrived(Peer, Int, Instant)

    // The world's time.
    case audit
    case calm
    case ended
    /// All lines are broken: what the servers have not got by now is lost.
    case nothingUnderway
}

/// A message that the library has accepted from the application.
final class Outgoing {
    let number: Int
    let id: UInt64
    /// As `Wording.message` takes it: the payload has at least its own heading.
    let size: Int
    let kind: MessageKind
    let acceptedAt: Instant
    /// The server has it whole.
    var hasArrived = false
    /// The kernel had it whole when its connection broke.
    var wasLost = false

    init(number: Int, id: UInt64, size: Int, kind: MessageKind, acceptedAt: Instant) {
        self.number = number
        self.id = id
        self.size = size
        self.kind = kind
        self.acceptedAt = acceptedAt
    }
}

/// Watches one client for one promise.
class Checker {
    unowned let client: Client
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

    /// How much later than its time something may come since then: turns of the loop, and what kept the process from running.
    final func slack(since mark: Mark) -> Interval {
        world.plan.lateness * 4 + .milliseconds(1) + (world.machine.frozen - mark.frozen)
    }

    /// A moment, and how long the process had been frozen by then.
    struct Mark {
        let time: Instant
        let frozen: Interval
    }

    final var mark: Mark { Mark(time: now, frozen: world.machine.frozen) }
}
