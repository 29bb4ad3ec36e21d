import Heartbeat
import Session
import WebSocket

/// Drives one session and its outbox as the library's `Connection` does, on a machine and lines that are not real. The only file that calls
/// `Session` and `Outbox`.
final class Driver {
    private let machine: Machine
    private let network: Network
    private unowned let client: Client
    private let dice: Dice

    private var session: Session
    private var outbox: Outbox
    private var batch = MessageBatch()
    private let scratch = RuleScratch()
    private let buffer: UnsafeMutableRawBufferPointer

    private(set) var line: Line?
    /// Counts the attempts: what belongs to an earlier one is recognised by it.
    private var serial = 0
    private(set) var isReadingPaused = false
    private var waitsToWrite = false
    private var writeFailed = false
    private var awaitsAttention = false
    private var isToReadAgain = false
    private(set) var isTornDown = false
    /// When the earliest event of the timeline comes that looks at the session's deadline.
    private var alarm: Instant?

    private static let writesMax = 4

    init(_ client: Client, _ plan: ClientPlan, _ machine: Machine, _ network: Network, _ dice: Dice) {
        self.client = client
        self.machine = machine
        self.network = network
        self.dice = dice
        buffer = .allocate(byteCount: plan.readSize, alignment: 16)
        let variables = HeartbeatVariables(plan.session.heartbeat)
        session = Session(plan.session, seed: dice.next(), environment: Environment(machine, dice), variables: variables)
        let keys = dice.fork()
        outbox = Outbox(role: .client, limits: plan.outbox, variables: variables) { bytes in
            for index in bytes.indices { bytes[index] = UInt8(truncatingIfNeeded: keys.next()) }
        }
    }

    deinit {
        buffer.deallocate()
    }

    var state: State { session.state }
    var epoch: UInt64 { session.epoch }
    var deadline: Instant? { session.deadline }
    var queuedMessages: Int { outbox.queuedMessages }
    var queuedBytes: Int { outbox.queuedBytes }
    var received: SessionMetrics { session.metrics }
    var sent: OutboxMetrics { outbox.metrics }
    var heartbeats: HeartbeatSnapshot { session.heartbeatSnapshot }
    /// The kernel takes nothing now.
    var isBlocked: Bool { waitsToWrite }

    // MARK: The application's threads

    func open() {
        machine.post { [self] in
            session.start(machine.now)
            settle()
        }
    }

    func send(_ kind: MessageKind, _ payload: [UInt8]) -> Outbox.Admission {
        let admission = payload.withUnsafeBytes { outbox.enqueue(kind, $0) }
        if case .accepted = admission { flushAsSender() }
        return admission
    }

    func close(_ frame: CloseFrame) {
        outbox.seal()
        machine.post { [self] in
            guard !isTornDown else { return }
            session.close(frame, machine.now, &outbox)
            settle()
        }
    }

    func release() {
        outbox.seal()
        machine.post { [self] in tearDown() }
    }

    func resumeReading() {
        machine.post { [self] in
            guard isReadingPaused, line != nil else { return }
            isReadingPaused = false
            session.readingResumed(machine.now)
            if writeFailed { postBroken() }
            readAgain()
            settle()
        }
    }

    private func flushAsSender() {
        if !waitsToWrite && !write(machine.clockOfSender) { postBroken() }
        guard outbox.hasHandedOver, !awaitsAttention else { return }
        awaitsAttention = true
        machine.post { [self] in
            awaitsAttention = false
            _ = session.written(machine.now, &outbox)
            settle()
        }
    }

    // MARK: The loop

    private func tearDown() {
        guard !isTornDown else { return }
        isTornDown = true
        session.abandon(&outbox)
        _ = write(machine.now)
        closeTransport()
        _ = session.takeActions()
        client.released(machine.now)
    }

    private func settle() {
        deliverOutputs()
        flush()
        let isWritable = outbox.takeWritable()
        deliverOutputs()
        if session.hasOutput { readAgain() }
        if isWritable {
            session.emit(.writable, machine.now)
            readAgain()
        }
        setAlarm()
        client.settled()
    }

    private func deliverOutputs() {
        while session.hasOutput {
            for action in session.takeActions() {
                switch action {
                case .openTransport: openTransport()
                case .closeTransport: closeTransport()
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
                session.timeout(machine.now, &outbox)
                settle()
            }
        }
    }

    private func readAgain() {
        guard !isToReadAgain else { return }
        isToReadAgain = true
        machine.readAgain { [self] in
            isToReadAgain = false
            guard !isTornDown else { return }
            if line != nil { _ = receive() }
            settle()
        }
    }

    // MARK: The transport

    private func openTransport() {
        serial += 1
        let attempt = serial
        client.attemptBegan(machine.now)
        network.connect(session.target) { [self] result in
            machine.socketReady { [self] in
                guard attempt == serial, !isTornDown else {
                    if case .line(let line) = result { line.closeClient(false) }
                    return
                }
                switch result {
                case .line(let line): attach(line, attempt)
                case .failure(let failure): session.transportEnded(failure, machine.now, &outbox)
                }
                settle()
            }
        }
    }

    private func attach(_ line: Line, _ attempt: Int) {
        self.line = line
        let ready = { [self] in
            machine.socketReady { [self] in
                guard attempt == serial, !isTornDown else { return }
                if !isReadingPaused { _ = receive() }
                settle()
            }
        }
        line.toClient.onReadable = ready
        line.clientHears = ready
        line.toServer.onWritable = { [self] in
            machine.socketReady { [self] in
                guard attempt == serial, !isTornDown else { return }
                waitsToWrite = false
                settle()
            }
        }
        client.transportOpened(line)
        session.transportOpened(Handshake.nonce(dice), unixTime: Handshake.unixTime(machine.now), &outbox)
    }

    private func closeTransport() {
        serial += 1
        line?.closeClient(dice.oneIn(2))
        line = nil
        (waitsToWrite, writeFailed, isReadingPaused) = (false, false, false)
        outbox.connectionEnded()
    }

    private func postBroken() {
        let attempt = serial
        machine.post { [self] in
            guard attempt == serial, line != nil, !isReadingPaused, !isTornDown else { return }
            if receive() {
                session.transportEnded(Self.lost, machine.now, &outbox)
            } else {
                postBroken()
            }
            settle()
        }
    }

    private static let lost = TransportFailure(kind: .lost, nativeCode: 104, sentence: "the connection was reset")
    private static let ended = TransportFailure(kind: .lost, nativeCode: 0, sentence: "the peer ended the connection")

    // MARK: Writing

    private func flush() {
        repeat {
            if !waitsToWrite && !write(machine.now) { postBroken() }
        } while session.written(machine.now, &outbox)
    }

    /// False if the line has just been found broken.
    private func write(_ now: Instant) -> Bool {
        guard let line, !writeFailed else { return true }
        var wholeWrites = 0
        while wholeWrites < Self.writesMax {
            let bytes = outbox.nextTransmit()
            if bytes.isEmpty { return true }
            if line.isBroken {
                writeFailed = true
                return false
            }
            let count = line.toServer.write(bytes)
            if count == 0 {
                waitsToWrite = true
                return true
            }
            if count == bytes.count { wholeWrites += 1 }
            client.wrote(bytes.count, count)
            outbox.transmitted(count, now)
        }
        waitsToWrite = true
        let attempt = serial
        machine.socketReady { [self] in
            guard attempt == serial, !isTornDown else { return }
            waitsToWrite = false
            settle()
        }
        return true
    }

    // MARK: Reading

    /// True if nothing is left.
    private func receive() -> Bool {
        var total = 0
        while total < 4 * buffer.count {
            guard !isReadingPaused, let line else { return false }
            let count = line.toClient.read(into: buffer)
            if count == 0 {
                if line.isBroken || line.toClient.isAtEnd {
                    session.transportEnded(line.isBroken ? Self.lost : Self.ended, machine.now, &outbox)
                }
                return true
            }
            total += count
            process(UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]))
        }
        readAgain()
        return false
    }

    private func process(_ input: UnsafeMutableRawBufferPointer) {
        var consumed = 0
        var counted = 0
        while true {
            switch session.read(input, consumed: &consumed, into: &batch) {
            case .needsInput:
                deliverBatch(&counted, consumed)
                return
            case .deliver:
                deliverBatch(&counted, consumed)
            case .control(let opcode, let payload):
                if opcode == .close { deliverBatch(&counted, consumed) }
                session.controlReceived(opcode, payload: payload, machine.now, &outbox)
            case .failed(let error):
                deliverBatch(&counted, consumed)
                session.protocolFailed(error, machine.now, &outbox)
            case .opened(let agreement):
                counted = consumed
                session.handshakeSucceeded(agreement, machine.now, &outbox)
                settle()
            case .refused(let error):
                session.handshakeFailed(error, machine.now, &outbox)
                settle()
                return
            }
        }
    }

    private func deliverBatch(_ counted: inout Int, _ consumed: Int) {
        session.received(bytes: consumed - counted, messages: batch.endedCount, machine.now)
        if consumed > counted { client.read(consumed - counted) }
        counted = consumed
        guard !batch.isEmpty else { return }
        runRules()
        for message in batch.messages { client.delivered([UInt8](message.payload), message.part) }
        batch.removeAll()
        switch client.inboxWish {
        case .none: break
        case .pause: pauseReading()
        case .close: session.consumerTooSlow(machine.now, &outbox)
        }
    }

    private func runRules() {
        guard session.hasHeartbeatRules else { return }
        for message in batch.messages where session.isConcerned(by: message, machine.now) {
            _ = session.messageReceived(message, scratch, machine.now, &outbox)
            if session.hasRefusedHeartbeats { flush() }
        }
        flush()
    }

    private func pauseReading() {
        guard !isReadingPaused else { return }
        isReadingPaused = true
        session.readingPaused(machine.now)
        session.emit(.readingPaused, machine.now)
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
    func appendUUID(to text: inout [UInt8]) { text += ASCII.bytes("00000000-0000-4000-8000-") + ASCII.bytes("000000000001") }
    func appendRandom(to text: inout [UInt8]) { text += (0..<8).map { _ in UInt8(0x61 + dice.below(26)) } }
    func fraction() -> Double { Double(dice.below(1 << 20)) / Double(1 << 20) }
}
