import Heartbeat
import WebSocket

/// The server's end of one line: handshake, frames, and habits that need not be those of a good server.
final class Peer {
    enum Phase {
        case handshake
        case open
        /// Our close frame is sent.
        case closing
        case ended
    }

    let number: Int
    let host: Host
    let line: Line
    private(set) var habits: Habits
    private let door: Door
    private unowned(unsafe) let world: World
    private let dice: Dice

    private(set) var phase = Phase.handshake
    /// Whose connection it is, once the request says so.
    private(set) var client: Client?
    private var handshake = ServerHandshake()
    private var frames: ClientFrames?
    private var outgoing: [UInt8] = []
    private var outgoingOffset = 0
    /// Bytes ever put out.
    private(set) var sentEnd: UInt64 = 0
    private var finishes = false
    /// Nothing will be heard of the client any more.
    private(set) var isConcluded = false
    private(set) var isReading = true
    private(set) var closedFirst = false
    private var dataSent = 0
    private var requestsSent = 0
    private var pingsSent = 0

    init(_ world: World, _ host: Host, _ line: Line, _ door: Door, _ habits: Habits, _ dice: Dice) {
        self.world = world
        self.host = host
        self.line = line
        self.door = door
        self.habits = habits
        self.dice = dice
        number = world.nextPeerNumber()
    }

    var hasEnded: Bool { if case .ended = phase { true } else { false } }
    var isOpen: Bool { if case .open = phase { true } else { false } }

    func begin() {
        line.toServer.onReadable = { [weak self] in self?.read() }
        line.toClient.onWritable = { [weak self] in self?.flush() }
        line.serverHears = { [weak self] in self?.lost() }
    }

    // MARK: Reading

    private func read() {
        guard isReading, !hasEnded else { return }
        let size = 65536
        withUnsafeTemporaryAllocation(byteCount: size, alignment: 16) { buffer in
            while !hasEnded {
                let count = line.toServer.read(into: buffer)
                if count == 0 { break }
                take([UInt8](buffer[..<count])[...])
            }
        }
        if line.toServer.isAtEnd { end() }
    }

    private func take(_ bytes: ArraySlice<UInt8>) {
        guard frames == nil else {
            frames?.append(bytes)
            return takeFrames(isLost: false)
        }
        var consumed = 0
        let request: HandshakeRequest?
        var queue = ByteQueue()
        queue.append([UInt8](bytes))
        do throws(RequestError) {
            request = try handshake.read(queue.bytes, consumed: &consumed)
        } catch {
            return world.fail("WireIsValid", "connection \(number): the request breaks RFC 6455 section 4.1: \(error)")
        }
        guard let request else { return }
        client = world.client(of: request.resource)
        if let client { world.see(.serverAsked(self, token: token(request)), client) }
        frames = ClientFrames(position: line.toServer.bytesAccepted)
        if consumed < bytes.count {
            return world.fail("WireIsValid", "connection \(number): \(bytes.count - consumed) bytes follow the request before its answer")
        }
        answer(request)
    }

    private func token(_ request: HandshakeRequest) -> Int? {
        request.fields.values("x-token").first.flatMap { Wording.numbers([UInt8]($0)).first }
    }

    private func answer(_ request: HandshakeRequest) {
        switch door {
        case .mute:
            return
        case .answer(let status, let retryAfter):
            let wait = retryAfter.map { "Retry-After: \($0)\r\n" } ?? ""
            let place = status == 302 ? "Location: /elsewhere\r\n" : ""
            send(raw: ASCII.bytes("HTTP/1.1 ") + [UInt8]("\(status) No\r\n\(wait)\(place)Content-Length: 2\r\n\r\nno".utf8))
            finish()
        case .wrongProof:
            send(raw: ServerHandshake.acceptance(proof: Handshake.proof(request.key.reversed())))
        case .cutAnswer:
            let answer = ServerHandshake.acceptance(proof: Handshake.proof(request.key))
            send(raw: Array(answer.prefix(dice.below(answer.count))))
            finish()
        case .trickle:
            trickle(ServerHandshake.acceptance(proof: Handshake.proof(request.key))[...], every: habits.lateBy)
        case .open, .unreachable, .silent, .unresolved, .badCertificate:
            open(request)
        }
    }

    /// An answer that comes byte by byte, so slowly that it may come too late.
    private func trickle(_ rest: ArraySlice<UInt8>, every delay: Interval) {
        guard let first = rest.first, !hasEnded else { return }
        guard rest.count > 1 else {
            send(raw: [first])
            return opened()
        }
        send(raw: [first])
        world.timeline.after(delay) { [weak self] in self?.trickle(rest.dropFirst(), every: delay) }
    }

    private func open(_ request: HandshakeRequest) {
        send(raw: ServerHandshake.acceptance(proof: Handshake.proof(request.key)))
        opened()
    }

    private func opened() {
        phase = .open
        guard let client else { return }
        world.see(.serverOpened(self), client)
        say(Wording.hello(connection: number))
        beginHabits()
    }

    private func takeFrames(isLost: Bool) {
        while let item = frames?.next() {
            let position = frames?.position ?? 0
            guard let client else { return }
            let got = Got(item, peer: self, acceptedAt: line.toServer.accepted(upTo: position), isLost: isLost)
            world.see(.serverGot(got), client)
            if !isLost && !hasEnded { respond(to: got.what) }
        }
    }

    private func respond(to what: Got.What) {
        switch what {
        case .ping(let payload): answerPing(payload)
        case .beat(let number): answerBeat(number)
        case .login: answerLogin()
        case .close(let payload): closeReceived(payload)
        case .message, .kept, .reply, .pong, .foreign: return
        case .broken(let error): world.fail("WireIsValid", "connection \(number): the client \(error.phrase)")
        }
    }

    // MARK: Answers

    private func answerPing(_ payload: [UInt8]) {
        let earlier = client?.pingsSeen ?? []
        client?.pingsSeen = earlier.suffix(7) + [(number, payload)]
        guard isOpen else { return }
        answer(habits.pongs) { [unowned self] answers in
            switch answers {
            case .wrong: pong(dice.bytes(dice.pick([0, 4, 8, 125])))
            case .stale: stalePong(earlier.isEmpty ? nil : dice.pick(earlier))
            default: pong(payload)
            }
        }
    }

    private func pong(_ payload: [UInt8]) {
        guard isOpen, let client else { return }
        send(.pong, payload)
        world.see(.serverSent(self, .pong(payload)), client)
    }

    /// Answers a ping from before, which counts if it came by this connection.
    private func stalePong(_ ping: (peer: Int, payload: [UInt8])?) {
        guard isOpen, let ping else { return }
        if ping.peer == number { pong(ping.payload) } else { send(.pong, ping.payload) }
    }

    private func answerBeat(_ number: Int) {
        guard isOpen else { return }
        answer(habits.acks) { [unowned self] answers in
            guard isOpen, let client else { return }
            let acked = answers == .wrong ? number + 1_000_000 : number
            let payload = Wording.ack(acked)
            send(.text, payload)
            world.see(.serverSent(self, .ack(acked, payload)), client)
        }
    }

    private func answerLogin() {
        answer(habits.logins) { [unowned self] answers in say(answers == .wrong ? Wording.refusal : Wording.welcome) }
    }

    private func answer(_ answers: Habits.Answers, _ act: @escaping (Habits.Answers) -> Void) {
        world.coverage.count("answers: \(answers)")
        switch answers {
        case .prompt, .wrong, .stale: act(answers)
        case .never: return
        case .late: world.timeline.after(habits.lateBy) { [weak self] in if self != nil { act(answers) } }
        case .doubled:
            act(answers)
            act(answers)
        }
    }

    private func closeReceived(_ payload: [UInt8]) {
        guard isOpen else {
            if habits.endsTransport { finish() }
            phase = .ended
            return
        }
        phase = .closing
        guard habits.answersClose else { return }
        send(.close, [UInt8](payload.prefix(2)))
        if let client { world.see(.serverSent(self, .close), client) }
        if habits.endsTransport { finish() }
    }

    // MARK: Habits

    private func beginHabits() {
        repeatedly(habits.pingsEvery) { $0.sendPing() }
        repeatedly(habits.requestsEvery) { $0.sendRequest() }
        once(habits.advisesAfter) { $0.say(Wording.advice) }
        once(habits.closesAfter?.delay) { if let (_, code) = $0.habits.closesAfter { $0.close(code) } }
        once(habits.resetsAfter) {
            guard $0.habits.resetsAfter != nil else { return }
            $0.world.coverage.count("fault: reset by a server")
            $0.line.breakDown()
        }
        once(habits.garbageAfter) {
            guard $0.habits.garbageAfter != nil else { return }
            $0.world.coverage.count("fault: garbage")
            // Reserved bits and a reserved opcode: no reader may take this for a frame.
            $0.send(raw: [0xFF] + $0.dice.bytes(20))
        }
        once(habits.pingFloodAfter) {
            guard $0.habits.pingFloodAfter != nil else { return }
            $0.world.coverage.count("fault: flood of pings")
            for _ in 0..<$0.dice.between(100, 2000) { $0.sendPing() }
        }
        if let pause = habits.readingPauses { pauseReading(pause) }
    }

    private func once(_ delay: Interval?, _ act: @escaping (Peer) -> Void) {
        guard let delay else { return }
        world.timeline.after(delay) { [weak self] in
            guard let self, isOpen else { return }
            act(self)
        }
    }

    private func repeatedly(_ every: Interval?, _ act: @escaping (Peer) -> Void) {
        once(every) {
            act($0)
            $0.repeatedly(every, act)
        }
    }

    private func pauseReading(_ length: Interval) {
        once(dice.waiting(length)) {
            guard $0.habits.readingPauses != nil else { return }
            $0.world.coverage.count("fault: a server stops reading")
            $0.isReading = false
            $0.world.timeline.after(length) { [weak self] in
                guard let self else { return }
                isReading = true
                read()
                pauseReading(length)
            }
        }
    }

    /// Sends an item of the client's feed.
    func sendData(key: Int) {
        guard isOpen else { return }
        dataSent += 1
        say(Wording.data(connection: number, dataSent, key: key, size: dice.between(30, habits.dataSizeMax)))
    }

    private func say(_ payload: [UInt8]) {
        guard isOpen, let client else { return }
        send(.text, payload)
        world.see(.serverSent(self, .message(payload)), client)
    }

    private func sendPing() {
        guard isOpen, let client else { return }
        pingsSent += 1
        let payload = Wording.ping(connection: number, pingsSent)
        send(.ping, payload)
        let end = sentEnd
        world.see(.serverSent(self, .ping(pingsSent)), client)
        let count = pingsSent
        line.toClient.mark(at: end) { [weak self] time in
            if let self { world.see(.pingArrived(self, count, time), client) }
        }
    }

    private func sendRequest() {
        guard isOpen, let client else { return }
        requestsSent += 1
        let count = requestsSent
        say(Wording.request(connection: number, count))
        line.toClient.mark(at: sentEnd) { [weak self] time in
            if let self { world.see(.requestArrived(self, count, time), client) }
        }
    }

    func close(_ code: UInt16) {
        guard isOpen else { return }
        world.coverage.count("server closes: \(code)")
        (phase, closedFirst) = (.closing, true)
        send(.close, CloseFrame(code: code, reason: []).payload)
        if let client { world.see(.serverSent(self, .close), client) }
        // A server does not wait for ever for the client to answer.
        world.timeline.after(.seconds(10)) { [weak self] in self?.finish() }
    }

    // MARK: Writing

    private func send(_ opcode: Opcode, _ payload: [UInt8]) {
        var queue = ByteQueue()
        payload.withUnsafeBytes { FrameWriter.append(opcode: opcode, isFinal: true, payload: $0, maskingKey: nil, to: &queue) }
        send(raw: [UInt8](queue.bytes))
    }

    private func send(raw bytes: [UInt8]) {
        outgoing += bytes
        sentEnd += UInt64(bytes.count)
        flush()
    }

    private func flush() {
        while outgoingOffset < outgoing.count {
            let count = outgoing[outgoingOffset...].withUnsafeBytes { line.toClient.write($0) }
            if count == 0 { return }
            outgoingOffset += count
        }
        outgoing.removeAll(keepingCapacity: true)
        outgoingOffset = 0
        if finishes { line.toClient.finish() }
    }

    private func finish() {
        finishes = true
        flush()
    }

    // MARK: The end

    /// The client has finished.
    private func end() {
        finish()
        conclude([])
    }

    /// The line broke: what the client's kernel had taken and we have not read is lost.
    private func lost() {
        let unread = line.toServer.takeUnread()
        conclude(unread)
    }

    private func conclude(_ unread: [UInt8]) {
        guard !isConcluded else { return }
        isConcluded = true
        phase = .ended
        frames?.append(unread[...])
        takeFrames(isLost: true)
        if let client { world.see(.serverEnded(self), client) }
    }

    /// From now on it does what a good server does.
    func reform() {
        (habits.pongs, habits.acks, habits.logins) = (.prompt, .prompt, .prompt)
        (habits.closesAfter, habits.resetsAfter, habits.garbageAfter, habits.pingFloodAfter) = (nil, nil, nil, nil)
        habits.readingPauses = nil
    }

    func crash(isSilent: Bool) {
        if isSilent { line.hold(until: .never) } else { line.breakDown() }
    }
}
