/// What a handle can refer to.
enum HandleTarget {
    case config(Config)
    case connection(Connection)
    case inbox(Inbox)
    case listener(Listener)
}

/// The table behind every opaque pointer of the C interface. A handle's value is a slot's index and generation, never an address: NULL, a
/// released handle, a forged one or one of another kind is recognised instead of followed.
///
/// From the lowest bit up a token holds: a constant 1 (so that none is NULL), the kind, the process epoch (which tells handles made before a
/// fork), the index, the generation.
final class HandleTable: @unchecked Sendable {
    enum Kind: UInt {
        case listener = 0
        case config = 1
        case connection = 2
        case inbox = 3
    }

    enum Lookup<Target> {
        case found(Target)
        case invalid
        case forked
    }

    private struct Slot {
        var generation: UInt
        var target: HandleTarget?
    }

    private static let kindBits: UInt = 2
    private static let epochBits: UInt = UInt.bitWidth == 64 ? 8 : 4
    private static let indexBits: UInt = UInt.bitWidth == 64 ? 24 : 13
    private static let generationBits = UInt(UInt.bitWidth) - 1 - kindBits - epochBits - indexBits

    private let lock = Lock()
    private let epoch: UInt
    private var slots: [Slot] = []
    /// Oldest first, so that a slot's generations are used up slowly.
    private var free: [Int] = []
    private var freeHead = 0

    /// `epoch` differs between a process and the children it forks.
    init(epoch: UInt) {
        self.epoch = epoch & ((1 << Self.epochBits) - 1)
    }

    /// Nil if the table is full.
    func insert(_ target: HandleTarget) -> OpaquePointer? {
        lock.withLock {
            let index: Int
            if freeHead < free.count && (free.count - freeHead > 64 || slots.count == 1 << Self.indexBits) {
                index = free[freeHead]
                freeHead += 1
                if freeHead == free.count {
                    free.removeAll(keepingCapacity: true)
                    freeHead = 0
                } else if freeHead > 1024 {
                    free.removeFirst(freeHead)
                    freeHead = 0
                }
            } else if slots.count < 1 << Self.indexBits {
                index = slots.count
                slots.append(Slot(generation: 0, target: nil))
            } else {
                return nil
            }
            slots[index].target = target
            return token(index, slots[index].generation, Self.kind(target))
        }
    }

    /// Makes the handle stale. Gives what it referred to, once.
    func remove(_ handle: OpaquePointer?, _ kind: Kind) -> HandleTarget? {
        lock.withLock { () -> HandleTarget? in
            guard case .found(let index) = index(handle, kind), let target = slots[index].target else { return nil }
            slots[index].target = nil
            slots[index].generation = (slots[index].generation &+ 1) & ((1 << Self.generationBits) - 1)
            free.append(index)
            return target
        }
    }

    /// Makes the handles of connections stale that are not so yet.
    func endConnections(_ handles: [OpaquePointer]) {
        for handle in handles { _ = remove(handle, .connection) }
    }

    func config(_ handle: OpaquePointer?) -> Lookup<Config> {
        switch target(handle, .config) {
        case .found(.config(let config)): .found(config)
        case .found, .invalid: .invalid
        case .forked: .forked
        }
    }

    func connection(_ handle: OpaquePointer?) -> Lookup<Connection> {
        switch target(handle, .connection) {
        case .found(.connection(let connection)): .found(connection)
        case .found, .invalid: .invalid
        case .forked: .forked
        }
    }

    /// All that there are at this moment.
    var connections: [Connection] {
        lock.withLock {
            slots.compactMap { slot in
                if case .connection(let connection)? = slot.target { connection } else { nil }
            }
        }
    }

    var listeners: [Listener] {
        lock.withLock {
            slots.compactMap { slot in
                if case .listener(let listener)? = slot.target { listener } else { nil }
            }
        }
    }

    func inbox(_ handle: OpaquePointer?) -> Lookup<Inbox> {
        switch target(handle, .inbox) {
        case .found(.inbox(let inbox)): .found(inbox)
        case .found, .invalid: .invalid
        case .forked: .forked
        }
    }

    func listener(_ handle: OpaquePointer?) -> Lookup<Listener> {
        switch target(handle, .listener) {
        case .found(.listener(let listener)): .found(listener)
        case .found, .invalid: .invalid
        case .forked: .forked
        }
    }

    private func target(_ handle: OpaquePointer?, _ kind: Kind) -> Lookup<HandleTarget> {
        lock.withLock { () -> Lookup<HandleTarget> in
            switch index(handle, kind) {
            case .found(let index): slots[index].target.map { .found($0) } ?? .invalid
            case .invalid: .invalid
            case .forked: .forked
            }
        }
    }

    private func index(_ handle: OpaquePointer?, _ kind: Kind) -> Lookup<Int> {
        var bits = UInt(bitPattern: handle)
        guard bits & 1 == 1 else { return .invalid }
        bits >>= 1
        guard bits & ((1 << Self.kindBits) - 1) == kind.rawValue else { return .invalid }
        bits >>= Self.kindBits
        let tokenEpoch = bits & ((1 << Self.epochBits) - 1)
        bits >>= Self.epochBits
        let index = Int(bits & ((1 << Self.indexBits) - 1))
        bits >>= Self.indexBits
        // A child of fork starts a table of its own under the next epoch: an older epoch's handle is the parent's.
        guard tokenEpoch == epoch else { return tokenEpoch < epoch ? .forked : .invalid }
        guard index < slots.count, slots[index].generation == bits, slots[index].target != nil else { return .invalid }
        return .found(index)
    }

    private func token(_ index: Int, _ generation: UInt, _ kind: Kind) -> OpaquePointer? {
        var bits = generation
        bits = bits << Self.indexBits | UInt(index)
        bits = bits << Self.epochBits | epoch
        bits = bits << Self.kindBits | kind.rawValue
        return OpaquePointer(bitPattern: bits << 1 | 1)
    }

    private static func kind(_ target: HandleTarget) -> Kind {
        switch target {
        case .config: .config
        case .connection: .connection
        case .inbox: .inbox
        case .listener: .listener
        }
    }
}
