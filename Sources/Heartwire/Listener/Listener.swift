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

    private let lock = Lock()
    private var socket: ListenSocket?
    private var groups = Groups()
    private var clients: [Connection] = []
    private var visitors: [Connection] = []
    private var isClosed = false

    /// Clients that are let in before the others' sockets have their turn.
    private static let acceptsMax = 64
    /// Clients that are sent a heartbeat before the others' sockets have their turn.
    private static let heartbeatsMax = 128

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

    func open() { io.post(.listen(self)) }

    /// Says goodbye to the clients, and lets nobody in any more.
    func close() {
        stopAccepting()
        let clients = lock.withLock { self.clients }
        for client in clients { client.close(CloseFrame(code: CloseCode.goingAway, reason: [])) }
    }

    func stopAccepting() {
        lock.withLock { isClosed = true }
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
        for receiver in receivers where receiver.send(message) { reached &+= 1 }
        counts.broadcastSent(delivered: reached, leftOut: UInt64(receivers.count) &- reached)
        return reached
    }

    // MARK: The I/O thread

    func start() {
        guard number == nil, let socket = lock.withLock({ self.socket }) else { return }
        number = io.watch(self, socket.fd)
        counts.listenerOpened()
        if let heartbeat {
            heartbeats = Cadence(every: heartbeat.interval, from: io.now)
            scheduleHeartbeat()
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
        pages.answer(request, isOpen: lock.withLock { !isClosed }) { library.metrics.text(io.now) }
    }

    /// Somebody comes for a page, or for the monitor's connection.
    func welcome(_ visitor: Connection) {
        lock.withLock {
            visitor.listenerPlace = visitors.count
            visitors.append(visitor)
        }
    }

    /// A heartbeat is due, or has not reached all clients yet. Those that cannot take it are left out.
    func timeout() {
        if let heartbeat, heartbeats?.tick(io.now) == true {
            let receivers = lock.withLock { clients }
            if !receivers.isEmpty, let (kind, body) = heartbeat.message(library.environment, io.now) {
                unsentHeartbeat = (body.withUnsafeBytes { compressor.message(kind, $0) }, receivers)
            }
        }
        sendHeartbeat()
        scheduleHeartbeat()
    }

    private func sendHeartbeat() {
        for _ in 0..<Self.heartbeatsMax {
            guard let message = unsentHeartbeat?.message, let receiver = unsentHeartbeat?.receivers.popLast() else {
                unsentHeartbeat = nil
                return
            }
            _ = receiver.send(message)
        }
    }

    private func scheduleHeartbeat() {
        guard let number, let due = unsentHeartbeat == nil ? heartbeats?.due : io.now else { return }
        io.schedule(listener: number, at: due)
    }

    /// Clients wait at the socket.
    func acceptClients() {
        guard let socket = lock.withLock({ self.socket }) else { return }
        for _ in 0..<Self.acceptsMax {
            guard let fd = socket.accept() else { return }
            accept(fd)
        }
    }

    private func accept(_ fd: Int32) {
        let stream = Stream(fd: fd, tls: nil)
        guard lock.withLock({ clients.count + visitors.count }) < connectionsMax else {
            counts.count(.refusedFull)
            let refusal = AcceptFailure(status: 503, sentence: "There are too many clients.")
            _ = refusal.response.withUnsafeBytes { stream.write($0) }
            stream.close()
            return
        }
        let connection = Connection(plan, library: library, io: io, listener: self)
        guard let handle = library.handles.insert(.connection(connection)) else {
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
            if connection.isVisitor { Self.remove(place, from: &visitors) } else { Self.remove(place, from: &clients) }
            connection.listenerPlace = nil
            groups.leaveAll(&connection.memberships)
        }
    }
}
