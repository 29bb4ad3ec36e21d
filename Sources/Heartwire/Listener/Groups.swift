import Session
import WebSocket

/// The clients of a listener by the names of their groups. The listener's lock guards it.
struct Groups {
    fileprivate final class Group {
        let name: [UInt8]
        let hash: UInt32
        var members: [Membership] = []

        init(_ name: [UInt8], _ hash: UInt32) {
            self.name = name
            self.hash = hash
        }
    }

    /// Where a client stands in a group, so that it leaves without a search.
    fileprivate final class Membership {
        let connection: Connection
        let group: Group
        var index: Int

        init(_ connection: Connection, _ group: Group) {
            self.connection = connection
            self.group = group
            index = group.members.count
        }
    }

    /// Of one client.
    struct Memberships {
        fileprivate var list: [Membership] = []
    }

    /// By the lower bits of the hashes of their names; as many as a power of two, at least as many as groups.
    private var buckets: [[Group]] = [[]]
    private var count = 0

    func members(of name: [UInt8]) -> [Connection] {
        group(name, Self.hash(name))?.members.map { $0.connection } ?? []
    }

    mutating func join(_ connection: Connection, _ name: [UInt8], _ memberships: inout Memberships) {
        guard !memberships.list.contains(where: { $0.group.name.elementsEqual(name) }) else { return }
        let hash = Self.hash(name)
        let group = group(name, hash) ?? add(name, hash)
        let membership = Membership(connection, group)
        group.members.append(membership)
        memberships.list.append(membership)
    }

    mutating func leave(_ name: [UInt8], _ memberships: inout Memberships) {
        guard let place = memberships.list.firstIndex(where: { $0.group.name.elementsEqual(name) }) else { return }
        end(memberships.list.remove(at: place))
    }

    mutating func leaveAll(_ memberships: inout Memberships) {
        for membership in memberships.list { end(membership) }
        memberships.list = []
    }

    private static func hash(_ name: [UInt8]) -> UInt32 { name.withUnsafeBytes { HashIndex.hash($0) } }

    private func bucket(_ hash: UInt32) -> Int { Int(hash) & (buckets.count - 1) }

    private func group(_ name: [UInt8], _ hash: UInt32) -> Group? {
        buckets[bucket(hash)].first { $0.hash == hash && $0.name.elementsEqual(name) }
    }

    private mutating func add(_ name: [UInt8], _ hash: UInt32) -> Group {
        if count == buckets.count { grow() }
        let group = Group(name, hash)
        buckets[bucket(hash)].append(group)
        count += 1
        return group
    }

    private mutating func grow() {
        let groups = buckets.flatMap { $0 }
        buckets = [[Group]](repeating: [], count: buckets.count * 2)
        for group in groups { buckets[bucket(group.hash)].append(group) }
    }

    /// The last one takes the place that becomes free. A group without members is forgotten.
    private mutating func end(_ membership: Membership) {
        let group = membership.group
        guard let last = group.members.popLast() else { return }
        if last !== membership {
            group.members[membership.index] = last
            last.index = membership.index
        }
        guard group.members.isEmpty else { return }
        buckets[bucket(group.hash)].removeAll { $0 === group }
        count -= 1
    }
}
