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
    private let connectionsMax: Int

    /// The I/O thread's own: its number in the poller.
    private var number: Int?

    private let lock = Lock()
    private var socket: ListenSocket?
    private var groups = Groups()
    private var clients: [Connection] = []
    private var isClosed = false

    /// Clients that are let in before the others' sockets have their turn.
    private static let acceptsMax = 64

    init(_ plan: ConnectionPlan, library: Library, io: IOThread) throws(ErrorDetails) {
        self.plan = plan
        self.library = library
        self.io = io
        connectionsMax = Int(clamping: plan.settings.number(.listenerConnectionsMax))
        let url = plan.session.url
        let address: SocketAddress
        switch Resolver.lookUp(url.host, port: url.port) {
        case .addresses(let addresses): address = addresses[0]
        case .failed(let failure): throw ErrorDetails(.transport(failure))
        }
        let socket = try ListenSocket(address)
        self.socket = socket
        port = socket.address?.port ?? url.port
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
        let now = SendOptions(isNow: true)
        var reached: UInt64 = 0
        for receiver in receivers {
            if case .accepted = receiver.send(kind, payload, now) { reached &+= 1 }
        }
        return reached
    }

    // MARK: The I/O thread

    func start() {
        guard number == nil, let socket = lock.withLock({ self.socket }) else { return }
        number = io.watch(self, socket.fd)
    }

    func stop() {
        if let number { io.unwatch(number, lock.withLock { socket }?.fd ?? -1) }
        number = nil
        lock.withLock { socket = nil }
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
        guard lock.withLock({ clients.count }) < connectionsMax else {
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

    /// The client has gone.
    func forget(_ connection: Connection) {
        lock.withLock {
            guard let place = connection.listenerPlace, let last = clients.popLast() else { return }
            if last !== connection {
                clients[place] = last
                last.listenerPlace = place
            }
            connection.listenerPlace = nil
            groups.leaveAll(&connection.memberships)
        }
    }
}
