import Heartbeat
import Session
import WebSocket

/// One managed connection, the application that uses it, and what is known about it.
final class Client {
    let number: Int
    let plan: ClientPlan
    unowned(unsafe) let world: World
    private(set) var driver: Driver!
    private var application: Application!
    private var checkers: [Checker] = []
    private(set) var tally: Tally?

    /// The lines of the two places, before and while they carry a connection.
    private var lines: [LinkPlace: Line] = [:]
    /// The server's numbers of the connections, by line.
    private var numbers: [Int: Int] = [:]
    /// The connections that their server closed before it had got a close frame.
    private var closedByServer: Set<Int> = []
    /// All connections that were established, the last one last.
    private(set) var connections: [Connection] = []
    /// The one that messages go by; nil while there is none.
    private(set) var active: Connection?

    /// Messages that the library has taken, by number.
    var outgoing: [Int: Outgoing] = [:]
    /// The kept messages, by key: those that are kept, and those that were.
    var kept: [Int: Kept] = [:]
    var keptBefore: [Kept] = []
    var closeAsked: CloseFrame?
    var isReleaseAsked = false
    /// A final state was told.
    private(set) var isOver = false
    /// What servers have seen of its pings, for those that answer with an earlier one's payload.
    var pingsSeen: [(peer: Int, payload: [UInt8])] = []

    init(_ number: Int, _ world: World, _ plan: ClientPlan, _ dice: Dice) {
        self.number = number
        self.world = world
        self.plan = plan
        driver = Driver(self, plan, world.machine, world.network, world.gates, dice.fork())
        application = Application(self, dice.fork())
        checkers = Checkers.all(self)
        guard plan.isTallied else { return }
        let tally = Tally(self)
        self.tally = tally
        checkers.append(tally)
    }

    func see(_ fact: Fact) {
        if fact.isWorthNoting { world.note { "client \(number): \(fact.text)" } }
        if case .serverOpened(let peer) = fact { numbers[peer.line.number] = peer.number }
        if case .serverSent(let peer, .close) = fact, peer.closedFirst { closedByServer.insert(peer.number) }
        for checker in checkers { checker.see(fact) }
    }

    func begin() {
        see(.began)
        driver.open()
        application.begin()
    }

    func calm() {
        see(.calm)
        application.calm()
    }

    func end() {
        checkers = []
        application = nil
        driver = nil
    }

    var mark: Checker.Mark { Checker.Mark(time: world.machine.clock, frozen: world.machine.frozen) }

    func connection(_ epoch: UInt64) -> Connection? {
        epoch > 0 && epoch <= connections.count ? connections[Int(epoch) - 1] : nil
    }

    // MARK: The library's side

    func attemptBegan(_ place: LinkPlace) { see(.attemptBegan(place)) }

    func transportOpened(_ line: Line, _ place: LinkPlace) {
        lines[place] = line
        see(.transportOpened(line))
    }

    func wrote(_ offered: Int, _ taken: Int) { see(.wrote(offered: offered, taken: taken)) }

    /// What comes before the opening handshake is done belongs to no connection yet.
    func read(_ bytes: Int, _ epoch: UInt64) {
        if connection(epoch)?.isOpen == true { see(.read(bytes: bytes, epoch: epoch)) }
    }

    func settled() { see(.settled) }
    func released() { see(.released) }
    func leftOut(_ payload: [UInt8], _ epoch: UInt64) { see(.leftOut(payload, epoch: epoch)) }

    func delivered(_ payload: [UInt8], _ epoch: UInt64) {
        application.received()
        see(.delivered(payload, epoch: epoch))
    }

    var inboxWish: Application.InboxWish { application.inboxWish }

    func happened(_ event: Event) {
        world.coverage.count(event)
        if event.state.isFinal { isOver = true }
        switch event.kind {
        case .opened: opened(event.epoch)
        case .stateChanged where event.state == .connected, .rotation(.switched, _, _):
            active = connection(event.epoch)
            active?.wasActive = true
        default: break
        }
        see(.event(event))
        if case .closed = event.kind { closed(event.epoch) }
        application.happened(event)
    }

    func wasClosedByServer(_ epoch: UInt64) -> Bool { connection(epoch).map { closedByServer.contains($0.number) } ?? false }

    private func opened(_ epoch: UInt64) {
        guard let line = lines[driver.place(ofEpoch: epoch)], let number = numbers[line.number], epoch == connections.count + 1 else {
            return world.fail("EventsAreInOrder", "client \(self.number): opened with epoch \(epoch), and there is no such connection")
        }
        connections.append(Connection(epoch: epoch, line: line, number: number, openedAt: mark))
    }

    private func closed(_ epoch: UInt64) {
        connection(epoch)?.isOpen = false
        if active?.epoch == epoch { active = nil }
    }
}
