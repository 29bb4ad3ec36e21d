import CHeartwire
import CSystem
import Heartbeat
import Session
import WebSocket

/// The thread that owns sockets, TLS and timers, and sends heartbeats. It runs no code of the host's unless a connection chose inline
/// delivery, and takes no lock that such code can hold.
final class IOThread: @unchecked Sendable {
    enum Command {
        case start(Connection)
        case resolved(Connection, serial: UInt32, Resolution)
        case close(Connection, CloseFrame)
        case cutOff(Connection)
        case resumeReading(Connection)
        case broken(Connection, serial: UInt32)
        case attend(Connection)
        case rotate(Connection)
        case release(Connection)
        case listen(Listener)
        case stopListening(Listener)
    }

    let poller: Poller
    /// Read once a turn; what happens in a turn happens at this moment.
    private(set) var now = Clock.now()

    /// Bytes of the socket that is being read, shared by all connections of the thread.
    let receiveBuffer: UnsafeMutableRawBufferPointer
    var batch = MessageBatch()
    /// The batch in the form of the C interface, for inline callbacks.
    let inlineMessages: UnsafeMutablePointer<hw_message>
    let ruleScratch = RuleScratch()

    private let lock = Lock()
    private let stopped: Condition
    private var commands: [Command] = []
    /// Clients for which broadcasts wait to be written.
    private var unflushed: [Connection] = []
    private var isStopping = false
    private var hasStopped = false
    private var thread: Thread?

    private var timers = Timers()
    private let machine: MachineWatch
    var monitor = Monitor()
    private var lastNumber: UInt64 = 0
    private var slots: [Connection?] = []
    private var freeSlots: [Int] = []
    private var listeners: [Listener?] = []
    private var listenerTimers = Timers()
    /// Connections that have something to do without waiting for their socket.
    private var readable: [Connection] = []
    /// Clients whose broadcasts are written now, the next one last.
    private var flushing: [Connection] = []

    private static let receiveBufferSize = 262_144
    /// Clients to which broadcasts are written in a turn: heartbeats must not wait for thousands of them.
    private static let flushesMax = 64
    /// Tells listeners' events from connections', whose slots are fewer.
    private static let listenerMark: UInt64 = 1 << 63

    /// Nil if the process is out of descriptors.
    init?() {
        guard let poller = Poller() else { return nil }
        self.poller = poller
        machine = MachineWatch(poller)
        stopped = Condition(lock)
        receiveBuffer = .allocate(byteCount: Self.receiveBufferSize, alignment: 64)
        inlineMessages = .allocate(capacity: MessageBatch.capacity)
    }

    deinit {
        receiveBuffer.deallocate()
        inlineMessages.deallocate()
    }

    /// False if the system refuses a thread.
    func start() -> Bool {
        lock.withLock { () -> Bool in
            thread = Thread.start("heartwire-io") { [self] in run() }
            thread?.detach()
            return thread != nil
        }
    }

    /// True once nothing is done any more: the process ends, or its descriptors were closed under us.
    var isStopped: Bool { lock.withLock { hasStopped } }

    var isCurrentThread: Bool { lock.withLock { thread?.isCurrent ?? false } }

    /// From any thread: has the I/O thread do something in its next turn.
    func post(_ command: Command) {
        let wasEmpty = lock.withLock { () -> Bool in
            commands.append(command)
            return commands.count == 1
        }
        if wasEmpty { poller.wake() }
    }

    /// From any thread: has the I/O thread write what was broadcast to these clients.
    func flush(_ clients: [Connection]) {
        guard !clients.isEmpty else { return }
        let wasEmpty = lock.withLock { () -> Bool in
            defer { unflushed += clients }
            return unflushed.isEmpty
        }
        if wasEmpty { poller.wake() }
    }

    /// For the end of the process: says goodbye on every connection and runs nothing more. Waits for that, but not beyond the deadline.
    func stop(until deadline: Instant) {
        lock.withLock { isStopping = true }
        poller.wake()
        lock.withLock {
            guard let thread, !thread.isCurrent else { return }
            while !hasStopped && stopped.wait(until: deadline) {}
        }
    }

    /// After `stop`: nobody waits for last callbacks any more. Does nothing if the thread could not be stopped.
    func endReleases() {
        guard isStopped else { return }
        for connection in slots { connection?.endRelease() }
    }

    // MARK: For the connections, on this thread

    /// Gives a connection its place: timers and socket events find it by this number.
    func adopt(_ connection: Connection) -> Int {
        lastNumber &+= 1
        connection.number = lastNumber
        if let slot = freeSlots.popLast() {
            slots[slot] = connection
            return slot
        }
        slots.append(connection)
        return slots.count - 1
    }

    /// Has changes of the network told to the connections that asked for it.
    func watchNetwork() {
        machine.watchNetwork()
    }

    /// Has a listener told of clients that wait at its socket. Gives its number; nil if the socket cannot be watched.
    func watch(_ listener: Listener, _ fd: Int32) -> Int? {
        guard poller.add(fd, .readable, data: Self.listenerMark | UInt64(listeners.count)) else { return nil }
        listeners.append(listener)
        return listeners.count - 1
    }

    func unwatch(_ number: Int, _ fd: Int32) {
        poller.remove(fd)
        listeners[number] = nil
        while let last = listeners.last, last == nil { listeners.removeLast() }
    }

    /// Has a watched listener told of clients, or not.
    func set(listener number: Int, _ fd: Int32, isWatched: Bool) {
        poller.modify(fd, isWatched ? .readable : [], data: Self.listenerMark | UInt64(number))
    }

    func schedule(listener number: Int, at deadline: Instant) {
        listenerTimers.schedule(slot: number, at: deadline)
    }

    func dismiss(slot: Int) {
        slots[slot] = nil
        freeSlots.append(slot)
    }

    func schedule(slot: Int, at deadline: Instant) {
        timers.schedule(slot: slot, at: deadline)
    }

    /// Once a turn, however often it is asked for: a connection that always has more must not crowd out the others.
    func readAgain(_ connection: Connection) {
        guard !connection.isToReadAgain else { return }
        connection.isToReadAgain = true
        readable.append(connection)
    }

    // MARK: The loop

    private func run() {
        var ownsDescriptors = false
        while let count = poller.wait(until: nextTurn) {
            now = Clock.now()
            machine.beginTurn(now)
            for index in 0..<count {
                if let ready = poller.ready(at: index) { dispatch(ready) }
            }
            runFlushes()
            runCommands()
            runTimers()
            runReadable()
            probeAfterChanges()
            monitor.run(slots, now)
            ownsDescriptors = lock.withLock { isStopping }
            if ownsDescriptors { break }
        }
        for connection in slots { connection?.stop(ownsDescriptors: ownsDescriptors) }
        for case .start(let connection) in lock.withLock({ commands }) { connection.stop(ownsDescriptors: ownsDescriptors) }
        lock.withLock {
            hasStopped = true
            stopped.wake()
        }
        // OpenSSL frees what it keeps for a thread when that ends, and all of it when the process does: both at once would free it twice.
        hws_thread_park()
    }

    private var nextTurn: Instant? {
        guard readable.isEmpty && flushing.isEmpty else { return now }
        var next = timers.next
        for other in [listenerTimers.next, machine.deadline, monitor.deadline] {
            if let other { next = min(next ?? other, other) }
        }
        return next
    }

    private func dispatch(_ ready: Poller.Ready) {
        if machine.take(ready, receiveBuffer, now) { return }
        guard ready.data & Self.listenerMark == 0 else {
            let number = Int(truncatingIfNeeded: ready.data & ~Self.listenerMark)
            if number < listeners.count { listeners[number]?.acceptClients() }
            return
        }
        let slot = Int(ready.data >> 32)
        guard slot < slots.count, let connection = slots[slot] else { return }
        connection.socketReady(ready, serial: UInt32(truncatingIfNeeded: ready.data))
    }

    private func runFlushes() {
        if flushing.isEmpty {
            lock.withLock { swap(&flushing, &unflushed) }
            flushing.reverse()
        }
        for _ in 0..<Self.flushesMax {
            guard let client = flushing.popLast() else { return }
            client.flushBroadcasts()
        }
    }

    private func runCommands() {
        var taken: [Command] = []
        lock.withLock { swap(&taken, &commands) }
        for command in taken {
            switch command {
            case .start(let connection): connection.start()
            case .resolved(let connection, let serial, let resolution): connection.resolved(resolution, serial: serial)
            case .close(let connection, let frame): connection.closeSession(frame)
            case .cutOff(let connection): connection.cutOffSession()
            case .resumeReading(let connection): connection.resumeReading()
            case .broken(let connection, let serial): connection.writeFailed(serial: serial)
            case .attend(let connection): connection.attend()
            case .rotate(let connection): connection.rotateSession()
            case .release(let connection): connection.tearDown()
            case .listen(let listener): listener.start()
            case .stopListening(let listener): listener.stop()
            }
        }
    }

    private func runTimers() {
        while let slot = timers.popDue(now) {
            slots[slot]?.timeout()
        }
        // A listener with more to do at once goes on in the next turn.
        var due: [Int] = []
        while let number = listenerTimers.popDue(now) { due.append(number) }
        for number in due where number < listeners.count { listeners[number]?.timeout() }
    }

    /// After what had arrived before was read: it answers no question that is asked now.
    private func probeAfterChanges() {
        while let change = machine.takeChange(now) {
            for connection in slots where change == .suspended || connection?.plan.session.watchesNetwork == true { connection?.probe() }
        }
    }

    private func runReadable() {
        guard !readable.isEmpty else { return }
        var taken: [Connection] = []
        swap(&taken, &readable)
        for connection in taken {
            connection.isToReadAgain = false
            connection.readPending()
        }
    }
}
