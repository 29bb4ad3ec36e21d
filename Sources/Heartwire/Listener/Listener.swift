import CHeartwire
import CSystem
import Heartbeat
import Session
import WebSocket

/// What `hw_listener` refers to: a socket that clients connect to, and those that it has let in.
///
/// The I/O thread accepts; the lock guards what other threads see.
final class Listener: @unchecked Sendable {
    let plan: ConnectionPlan
    let library: Library
    let io: IOThread
    let port: UInt16
    let counts: ListenerCounts
    let pages: ListenerPages
    /// For clients that ask for a page; nil if there are none.
    let visitorPlan: ConnectionPlan?
    private let connectionsMax: Int
    private let compressor: BroadcastCompressor

    // The I/O thread's own.
    /// Its number in the poller.
    private var number: Int?
    private let heartbeat: HeartbeatBroadcast?
    private var heartbeats: Cadence?
    /// A heartbeat on its way to the clients, the last of which get it first.
    private var unsentHeartbeat: (message: SharedMessage, receivers: [Connection])?
    private var heartbeatReached: UInt64 = 0
    private var heartbeatLeftOut: UInt64 = 0
    /// What /metrics says for a while: whoever asks again and again must not keep this thread from the heartbeats.
    private var metricsText: (text: [UInt8], written: Instant)?
    /// Until then nobody is let in.
    private var pausedUntil: Instant?
    /// When last somebody could not be let in for want of descriptors or the like.
    private var lastShortage: Instant?

    private let lock = Lock()
    private var socket: ListenSocket?
    private var groups = Groups()
    private var clients: [Connection] = []
    private var visitors: [Connection] = []
    /// Visitors that are to be turned away: they take nobody's place.
    private var refusals = 0
    private var isClosed = false

    private static let metricsAge = Interval.seconds(1)
    /// Clients that are let in before the others' sockets have their turn.
    private static let acceptsMax = 64
    /// Clients that are too many and are listened to before they are turned away; others are turned away at once.
    private static let refusalsMax = 64
    private static let tooMany = AcceptFailure(status: 503, sentence: "There are too many clients.")
    /// Clients that are sent a heartbeat before the others' sockets have their turn.
    private static let heartbeatsMax = 128
    /// Until somebody is let in again when nobody could be. Those who wait at the socket make it readable all the time.
    private static let pause = Interval.milliseconds(100)
    /// Shortages that are no farther apart are told once.
    private static let shortageGap = Interval.seconds(60)

    init(_ plan: ConnectionPlan, library: Library, io: IOThread) throws(ErrorDetails) {
        self.plan = plan
        self.library = library
        self.io = io
        connectionsMax = Int(clamping: plan.settings.number(.listenerConnectionsMax))
        compressor = BroadcastCompressor(plan.session.compression)
        heartbeat = try HeartbeatBroadcast.make(plan.settings)
        let url = plan.session.url
        let address: SocketAddress
        switch Resolver.lookUp(url.host, port: url.port) {
        case .addresses(let addresses): address = addresses[0]
        case .failed(let failure): throw ErrorDetails(.transport(failure))
        }
        pages = try ListenerPages(plan.settings, at: address)
        visitorPlan = pages.isEmpty ? nil : try ListenerPlan.visitors(plan.settings, plan.tlsContexts)
        let socket = try ListenSocket(address)
        self.socket = socket
        port = socket.address?.port ?? url.port
        plan.listens(at: port)
        counts = library.metrics.counts(ofListener: plan.metricsName)
    }

    // MARK: Any thread

    func open() {
        if plan.settings.number(.pingInterval) == 0 {
            let line = "listener at port \(port): ping.interval is 0, so clients are not pinged, and silent ones stay".bytes
            library.log.write(hw_log_level(HW_LOG_WARNING), line)
        }
        io.post(.listen(self))
    }

    /// Says goodbye to the clients, and lets nobody in any more.
    func close() {
        stopAccepting()
        let clients = lock.withLock { self.clients }
        for client in clients { client.close(CloseFrame(code: CloseCode.goingAway, reason: [])) }
    }

    func stopAccepting() {
        lock.withLock {
            isClosed = true
            socket?.stop()
        }
        io.post(.stopListening(self))
    }

    /// False if the connection is no client of this listener.
    func join(_ connection: Connection, _ group: [UInt8]) -> Bool {
        lock.withLock { () -> Bool in
            guard connection.listenerPlace != nil, connection.listener === self else { return false }
            groups.join(connection, group, &connection.memberships)
            return true
        }
    }

    func leave(_ connection: Connection, _ group: [UInt8]) -> Bool {
        lock.withLock { () -> Bool in
            guard connection.listenerPlace != nil, connection.listener === self else { return false }
            groups.leave(group, &connection.memberships)
            return true
        }
    }

    /// Sends to the group, or to all; gives how many took it.
    func broadcast(_ group: [UInt8]?, _ kind: MessageKind, _ payload: UnsafeRawBufferPointer) -> UInt64 {
        let receivers = lock.withLock { group.map { groups.members(of: $0) } ?? clients }
        guard !receivers.isEmpty else { return 0 }
        let message = compressor.message(kind, payload)
        var reached: UInt64 = 0
        var unflushed: [Connection] = []
        for receiver in receivers {
            switch receiver.take(message) {
            case .refused: continue
            case .taken: break
            case .waits: unflushed.append(receiver)
            }
            reached &+= 1
        }
        io.flush(unflushed)
        counts.broadcastSent(delivered: reached, leftOut: UInt64(receivers.count) &- reached)
        return reached
    }

    // MARK: The I/O thread

    func start() {
        guard number == nil, let socket = lock.withLock({ self.socket }) else { return }
        number = io.watch(self, socket.fd)
        guard number != nil else {
            let line = "listener at port \(port): nobody is let in, because the socket cannot be watched: \(systemErrorText(hws_errno()))"
            library.log.write(hw_log_level(HW_LOG_ERROR), line.bytes)
            return
        }
        counts.listenerOpened()
        if let heartbeat {
            heartbeats = Cadence(every: heartbeat.interval, from: io.now)
            scheduleTimer()
        }
    }

    func stop() {
        if let number {
            io.unwatch(number, lock.withLock { socket }?.fd ?? -1)
            counts.listenerClosed()
        }
        number = nil
        unsentHeartbeat = nil
        let visitors = lock.withLock { () -> [Connection] in
            socket = nil
            return self.visitors
        }
        let goodbye = CloseFrame(code: CloseCode.goingAway, reason: [])
        // A page that is on its way still arrives.
        for visitor in visitors where !visitor.session.isAnswering { visitor.closeSession(goodbye) }
    }

    /// What to answer to this request; nil if it is for no page.
    func answer(_ request: PageRequest) -> [UInt8]? {
        pages.answer(request, isOpen: lock.withLock { !isClosed }) { currentMetrics() }
    }

    private func currentMetrics() -> [UInt8] {
        if let (text, written) = metricsText, io.now < written + Self.metricsAge { return text }
        let text = library.metrics.text(io.now)
        metricsText = (text, io.now)
        return text
    }

    /// Somebody comes for a page, or for the monitor's connection.
    func welcome(_ visitor: Connection) {
        lock.withLock {
            visitor.listenerPlace = visitors.count
            visitors.append(visitor)
            if visitor.refusal != nil { refusals += 1 }
        }
    }

    /// A heartbeat is due, or has not reached all clients yet, of whom those that cannot take it are left out. Or a pause is over.
    func timeout() {
        if let until = pausedUntil, until <= io.now {
            pausedUntil = nil
            watchSocket(true)
        }
        if let heartbeat, heartbeats?.tick(io.now) == true {
            let receivers = lock.withLock { clients }
            if !receivers.isEmpty, let (kind, body) = heartbeat.message(library.environment, io.now) {
                unsentHeartbeat = (body.withUnsafeBytes { compressor.message(kind, $0) }, receivers)
            }
        }
        sendHeartbeat()
        scheduleTimer()
    }

    private func sendHeartbeat() {
        for _ in 0..<Self.heartbeatsMax {
            guard let message = unsentHeartbeat?.message else { return }
            guard let receiver = unsentHeartbeat?.receivers.popLast() else {
                counts.broadcastSent(delivered: heartbeatReached, leftOut: heartbeatLeftOut)
                (unsentHeartbeat, heartbeatReached, heartbeatLeftOut) = (nil, 0, 0)
                return
            }
            if receiver.send(message) { heartbeatReached &+= 1 } else { heartbeatLeftOut &+= 1 }
        }
    }

    private func scheduleTimer() {
        guard let number else { return }
        for due in [unsentHeartbeat == nil ? heartbeats?.due : io.now, pausedUntil] {
            if let due { io.schedule(listener: number, at: due) }
        }
    }

    /// Clients wait at the socket.
    func acceptClients() {
        guard let socket = lock.withLock({ self.socket }) else { return }
        for _ in 0..<Self.acceptsMax {
            switch socket.accept() {
            case .client(let fd): accept(fd)
            case .gone: continue
            case .nobody: return
            case .failed(let code):
                guard !lock.withLock({ isClosed }) else { return }
                tellShortage(code)
                guard socket.acceptWithSpare({ refuse($0) }) else {
                    pauseAccepting()
                    return
                }
            }
        }
    }

    private func pauseAccepting() {
        pausedUntil = io.now + Self.pause
        watchSocket(false)
        scheduleTimer()
    }

    private func watchSocket(_ isWatched: Bool) {
        guard let number, let socket = lock.withLock({ self.socket }) else { return }
        io.set(listener: number, socket.fd, isWatched: isWatched)
    }

    private func tellShortage(_ code: Int32) {
        let isKnown = lastShortage.map { io.now < $0 + Self.shortageGap } ?? false
        lastShortage = io.now
        guard !isKnown else { return }
        let line = "listener at port \(port): clients are turned away or wait until that has passed: \(systemErrorText(code))"
        library.log.write(hw_log_level(HW_LOG_WARNING), line.bytes)
    }

    /// Says that there are too many clients. Over TLS that is left out: a handshake costs more than all else.
    private func refuse(_ fd: Int32) {
        counts.count(.refusedFull)
        let stream = Stream(fd: fd, role: .server, tls: nil)
        if plan.listenerTLS == nil { _ = Self.tooMany.response.withUnsafeBytes { stream.write($0) } }
        stream.close()
    }

    private func accept(_ fd: Int32) {
        let (count, refusals) = lock.withLock { (clients.count + visitors.count - self.refusals, self.refusals) }
        guard count < connectionsMax else {
            turnAway(fd, waits: refusals < Self.refusalsMax)
            return
        }
        guard let stream = stream(fd) else {
            refuse(fd)
            return
        }
        let connection = Connection(plan, library: library, io: io, listener: self)
        guard let handle = library.handles.insert(.connection(connection)) else {
            counts.count(.refusedFull)
            stream.close()
            return
        }
        let isLetIn = lock.withLock { () -> Bool in
            guard !isClosed else { return false }
            connection.listenerPlace = clients.count
            clients.append(connection)
            return true
        }
        guard isLetIn else {
            _ = library.handles.remove(handle, .connection)
            stream.close()
            return
        }
        connection.serve(stream, handle)
    }

    /// There are too many clients. The answer would be lost if the connection were closed before the request has been read, which is waited
    /// for if not too many wait already.
    private func turnAway(_ fd: Int32, waits: Bool) {
        guard waits, plan.listenerTLS == nil, !lock.withLock({ isClosed }) else {
            refuse(fd)
            return
        }
        let visitor = Connection(plan, library: library, io: io, listener: self)
        visitor.refusal = Self.tooMany
        welcome(visitor)
        visitor.serve(Stream(fd: fd, role: .server, tls: nil), nil)
    }

    /// Nil if there is no memory for TLS.
    private func stream(_ fd: Int32) -> Stream? {
        guard let context = plan.listenerTLS else { return Stream(fd: fd, role: .server, tls: nil) }
        return TLSSession(context, fd: fd, peer: TLSClientPeer()).map { Stream(fd: fd, role: .server, tls: $0) }
    }

    /// The last one takes the place that becomes free.
    private static func remove(_ place: Int, from connections: inout [Connection]) {
        guard let last = connections.popLast(), place < connections.count else { return }
        connections[place] = last
        last.listenerPlace = place
    }

    /// The client has gone.
    func forget(_ connection: Connection) {
        lock.withLock {
            guard let place = connection.listenerPlace else { return }
            if connection.refusal != nil { refusals -= 1 }
            if connection.isVisitor { Self.remove(place, from: &visitors) } else { Self.remove(place, from: &clients) }
            connection.listenerPlace = nil
            groups.leaveAll(&connection.memberships)
        }
    }
}
