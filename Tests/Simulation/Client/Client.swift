import Heartbeat
import Session
import WebSocket

/// One managed connection, the application that uses it, and what is known about it.
final class Client {
    let number: Int
    let plan: ClientPlan
    unowned let world: World
    private(set) var driver: Driver!
    private var checkers: [Checker] = []
    private let dice: Dice

    /// Messages that the library has taken, by number.
    private(set) var outgoing: [Int: Outgoing] = [:]
    private var messages = 0
    private var waitingInInbox = 0
    private var isOnBreak = false
    private(set) var closeAsked: CloseFrame?
    private(set) var isReleaseAsked = false
    /// A final state was told.
    private(set) var isOver = false
    /// What servers have seen of its pings, for those that answer with an earlier one's payload.
    var pingsSeen: [[UInt8]] = []

    enum InboxWish {
        case none
        case pause
        case close
    }

    init(_ number: Int, _ world: World, _ plan: ClientPlan, _ dice: Dice) {
        self.number = number
        self.world = world
        self.plan = plan
        self.dice = dice
        driver = Driver(self, plan, world.machine, world.network, dice.fork())
        checkers = Checkers.all(self)
    }

    func see(_ fact: Fact) {
        if fact.isWorthNoting { world.note { "client \(number): \(fact.text)" } }
        for checker in checkers where world.violation == nil { checker.see(fact) }
    }

    func end() {
        checkers = []
        driver = nil
    }

    // MARK: The application

    func begin() {
        see(.began)
        driver.open()
        if plan.sendsEvery != nil { sendSoon() }
        if let delay = plan.closesAfter { later(delay) { [self] in close() } }
        if let delay = plan.releasesAfter { later(delay) { [self] in release() } }
        if plan.takesBreaks != nil { takeBreakSoon() }
    }

    private func later(_ delay: Interval, _ act: @escaping () -> Void) {
        world.timeline.after(delay) { [self] in
            world.machine.run { [self] in if driver != nil { act() } }
        }
    }

    private func sendSoon() {
        guard let mean = plan.sendsEvery, !world.isCalm else { return }
        later(dice.waiting(mean)) { [self] in
            for _ in 0..<(dice.oneIn(10) ? dice.between(2, 30) : 1) { send() }
            sendSoon()
        }
    }

    private func send() {
        messages += 1
        let size = dice.between(0, plan.messageSizeMax)
        let kind: MessageKind = dice.oneIn(3) ? .binary : .text
        let payload = Wording.message(messages, size: size)
        switch driver.send(kind, payload) {
        case .accepted(let id):
            let message = Outgoing(number: messages, id: id, size: size, kind: kind, acceptedAt: world.machine.clock)
            outgoing[messages] = message
            see(.accepted(message))
        case let refusal:
            see(.refused(refusal, size: payload.count))
        }
    }

    private func close() {
        let frame = CloseFrame(code: dice.pick([1000, 1001, 3000]), reason: [])
        if closeAsked == nil { closeAsked = frame }
        see(.closeAsked(frame))
        driver.close(frame)
    }

    private func release() {
        isReleaseAsked = true
        see(.releaseAsked)
        driver.release()
    }

    // MARK: Its inbox

    private func takeBreakSoon() {
        guard let length = plan.takesBreaks, !world.isCalm else { return }
        later(dice.waiting(length * 2)) { [self] in
            isOnBreak = true
            later(dice.waiting(length)) { [self] in
                isOnBreak = false
                waitingInInbox = 0
                driver.resumeReading()
                takeBreakSoon()
            }
        }
    }

    var inboxWish: InboxWish {
        guard waitingInInbox >= plan.inboxMax else { return .none }
        return plan.closesWhenFull ? .close : .pause
    }

    // MARK: The library's side

    func attemptBegan(_ now: Instant) { see(.attemptBegan) }
    func transportOpened(_ line: Line) { see(.transportOpened(line)) }
    func wrote(_ offered: Int, _ taken: Int) { see(.wrote(offered: offered, taken: taken)) }
    func read(_ bytes: Int) { see(.read(bytes: bytes)) }
    func settled() { see(.settled) }
    func released(_ now: Instant) { see(.released) }

    func delivered(_ payload: [UInt8], _ part: MessagePart) {
        if isOnBreak { waitingInInbox += 1 }
        see(.delivered(payload, part))
    }

    func happened(_ event: Event) {
        count(event)
        if event.state.isFinal { isOver = true }
        see(.event(event))
    }

    private func count(_ event: Event) {
        switch event.kind {
        case .stateChanged(let from, _): world.coverage.count("state: \(from) to \(event.state)")
        case .heartbeat(let note): world.coverage.count("heartbeat: \(note.kindName)")
        case .opened: world.coverage.count("event: opened")
        case .closed(_, _, let failure): world.coverage.count("closed: \(failure.map { $0.name } ?? "as asked")")
        case .attemptFailed(let failure, _, _): world.coverage.count("attempt failed: \(failure.name)")
        case .writable: world.coverage.count("event: writable")
        case .readingPaused: world.coverage.count("event: reading paused")
        case .messagesDropped, .warning, .released: break
        }
    }
}
