import Heartbeat
import Session
import WebSocket

/// Drives one session and its outboxes as the library's `Connection` does, on a machine and lines that are not real. Together with its
/// extensions the only code here that calls `Session` and `Outboxes`.
final class Driver {
    let machine: Machine
    let network: Network
    unowned(unsafe) let client: Client
    let dice: Dice

    var session: Session
    var outboxes: Outboxes
    var batch = MessageBatch()
    let scratch = RuleScratch()
    let buffer: UnsafeMutableRawBufferPointer

    let first = Channel(.first)
    let second = Channel(.second)
    var lastSerial = 0
    private var awaitsAttention = false
    private var isToReadAgain = false
    private(set) var isTornDown = false
    /// When the earliest event of the timeline comes that looks at the session's deadline.
    private var alarm: Instant?

    init(_ client: Client, _ plan: ClientPlan, _ machine: Machine, _ network: Network, _ gates: HostGateTable, _ dice: Dice) {
        self.client = client
        self.machine = machine
        self.network = network
        self.dice = dice
        buffer = .allocate(byteCount: plan.readSize, alignment: 16)
        let variables = (HeartbeatVariables(plan.session.heartbeat), HeartbeatVariables(plan.session.heartbeat))
        session = Session(
            plan.session, seed: dice.next(), environment: Environment(machine, dice), gates: gates, variables: variables)
        func fill(_ keys: Dice) -> (UnsafeMutableRawBufferPointer) -> Void {
            { bytes in for index in bytes.indices { bytes[index] = UInt8(truncatingIfNeeded: keys.next()) } }
        }
        let keys = (fill(dice.fork()), fill(dice.fork()))
        outboxes = Outboxes(
            first: Outbox(role: .client, limits: plan.outbox, variables: variables.0, fillRandom: keys.0),
            second: { Outbox(role: .client, limits: plan.outbox, variables: variables.1, hasQueue: false, fillRandom: keys.1) },
            kept: KeptMessages(messagesMax: plan.outbox.messagesMax, bytesMax: plan.outbox.bytesMax))
    }

    deinit {
        buffer.deallocate()
    }

    func channel(_ place: LinkPlace) -> Channel {
        switch place {
        case .first: first
        case .second: second
        }
    }

    // MARK: What can be asked of a connection

    var state: State { session.state }
    var deadline: Instant? { session.deadline }
    var queuedMessages: Int { outboxes[outboxes.active].queuedMessages }
    var queuedBytes: Int { outboxes[outboxes.active].queuedBytes }
    var keptMessages: Int { outboxes.kept.count }
    var metrics: SessionMetrics { session.metrics }
    var sent: OutboxMetrics { outboxes.metrics }
    var outcomes: Outcomes.Counts { outboxes[outboxes.active].outcomeCounts }
    var heartbeats: HeartbeatSnapshot { session.heartbeatSnapshot }
    func place(ofEpoch epoch: UInt64) -> LinkPlace { session.epoch(of: .second) == epoch ? .second : .first }
    func outcome(of id: UInt64) -> Outcome? { outboxes[outboxes.active].outcome(of: id) }

    /// The kernel takes nothing of one of the connections now.
    var isBlocked: Bool { first.waitsToWrite || second.waitsToWrite }
    var isReadingPaused: Bool { first.isReadingPaused || second.isReadingPaused }

    // MARK: The application's threads

    func open() {
        machine.post { [self] in
            guard !isTornDown else { return }
            session.start(machine.now)
            settle()
        }
    }

    func send(_ kind: MessageKind, _ payload: [UInt8], _ options: SendOptions) -> Outbox.Admission {
        send { outbox in payload.withUnsafeBytes { outbox.enqueue(kind, $0, options) } }
    }

    func send(
        _ kind: MessageKind, part payload: ArraySlice<UInt8>, of id: UInt64, isLast: Bool, _ options: SendOptions
    ) -> Outbox.Admission {
        send { outbox in payload.withUnsafeBytes { outbox.enqueue(kind, part: $0, of: id, isLast: isLast, options) } }
    }

    private func send(_ enqueue: (Outbox) -> Outbox.Admission) -> Outbox.Admission {
        let admission = enqueue(outboxes[outboxes.active])
        if case .accepted = admission { flushAsSender(outboxes.active) }
        if outboxes[outboxes.active].isWritableDue { askForAttention() }
        return admission
    }

    func keep(_ key: [UInt8], _ kind: MessageKind, _ payload: [UInt8]) -> Outbox.Admission {
        let admission = key.withUnsafeBytes { key in payload.withUnsafeBytes { outboxes.keep(key, kind, $0) } }
        if case .accepted = admission {
            flushAsSender(.first)
            flushAsSender(.second)
        }
        return admission
    }

    func unkeep(_ key: [UInt8]) -> Outbox.Admission {
        key.withUnsafeBytes { outboxes.unkeep($0) }
    }

    func cancel(_ id: UInt64) -> MessageQueue.Cancellation {
        defer { if outboxes[outboxes.active].hasReports { askForAttention() } }
        return outboxes[outboxes.active].cancel(id)
    }

    func rotate() {
        guard !outboxes[outboxes.active].isSealed else { return }
        post { driver in driver.session.rotate(driver.machine.now) }
    }

    func close(_ frame: CloseFrame) {
        outboxes[outboxes.active].seal()
        post { driver in driver.session.close(frame, driver.machine.now, &driver.outboxes) }
    }

    /// The process ends and has no more time.
    func cutOff() {
        post { driver in driver.session.cutOff(driver.machine.now, &driver.outboxes) }
    }

    func proceed(_ attemptId: UInt64, _ prepared: PreparedAttempt) {
        post { driver in _ = driver.session.proceed(attemptId, prepared, driver.machine.now, &driver.outboxes) }
    }

    func release() {
        outboxes[outboxes.active].seal()
        machine.post { [self] in tearDown() }
    }

    /// The machine was suspended, or its network is another.
    func probe() {
        post { driver in
            driver.client.see(.probed)
            driver.session.probe(driver.machine.now, &driver.outboxes)
        }
    }

    func resumeReading() {
        machine.post { [self] in
            guard !isTornDown else { return }
            resumeReading(first)
            resumeReading(second)
            settle()
        }
    }

    private func post(_ command: @escaping (Driver) -> Void) {
        machine.post { [self] in
            guard !isTornDown else { return }
            command(self)
            settle()
        }
    }

    private func flushAsSender(_ place: LinkPlace) {
        let channel = channel(place)
        if !channel.waitsToWrite && !write(channel, machine.clockOfSender) { postBroken(channel) }
        let outbox = outboxes[place]
        if outbox.hasHandedOver || outbox.hasReports || outbox.nextExpiry != nil || outbox.isQueueReleased { askForAttention() }
    }

    private func askForAttention() {
        guard !awaitsAttention else { return }
        awaitsAttention = true
        machine.post { [self] in
            awaitsAttention = false
            guard !isTornDown else { return }
            for place in [LinkPlace.first, .second] { _ = session.written(place, machine.now, &outboxes) }
            settle()
        }
    }

    // MARK: The loop

    private func tearDown() {
        guard !isTornDown else { return }
        isTornDown = true
        session.abandon(machine.now, &outboxes)
        _ = write(first, machine.now)
        _ = write(second, machine.now)
        closeTransport(first)
        closeTransport(second)
        _ = session.takeActions()
        client.released()
    }

    func settle() {
        deliverOutputs()
        flush(first)
        flush(second)
        deliverOutputs()
        session.review(machine.now, &outboxes)
        if session.hasOutput { readAgain() }
        setAlarm()
        client.settled()
    }

    private func deliverOutputs() {
        while session.hasOutput {
            for action in session.takeActions() {
                switch action {
                case .openTransport(let place): openTransport(channel(place))
                case .closeTransport(let place):
                    _ = write(channel(place), machine.now)
                    closeTransport(channel(place))
                }
            }
            for event in session.takeEvents() where !isTornDown { client.happened(event) }
        }
    }

    private func setAlarm() {
        guard !isTornDown, let deadline = session.deadline else { return }
        if let alarm, alarm <= deadline { return }
        alarm = deadline
        machine.at(deadline) { [self] in
            guard alarm == deadline else { return }
            alarm = nil
            machine.timerDue { [self] in
                guard !isTornDown else { return }
                session.timeout(machine.now, &outboxes)
                settle()
            }
        }
    }

    func readAgain() {
        guard !isToReadAgain else { return }
        isToReadAgain = true
        machine.readAgain { [self] in
            isToReadAgain = false
            guard !isTornDown else { return }
            for channel in [first, second] where channel.line != nil { _ = receive(channel) }
            settle()
        }
    }
}

/// The world's part in heartbeats' templates.
private final class Environment: HeartbeatEnvironment {
    private let machine: Machine
    private let dice: Dice

    init(_ machine: Machine, _ dice: Dice) {
        self.machine = machine
        self.dice = dice.fork()
    }

    func unixNanoseconds(at now: Instant) -> Int64 { Handshake.unixTime(now) * 1_000_000_000 }
    func appendUUID(to text: inout [UInt8]) { text += ASCII.bytes("00000000-0000-4000-8000-000000000001") }
    func appendRandom(to text: inout [UInt8]) { text += (0..<8).map { _ in UInt8(0x61 + dice.below(26)) } }
    func fraction() -> Double { Double(dice.below(1 << 20)) / Double(1 << 20) }
}
