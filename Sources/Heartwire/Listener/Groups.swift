import WebSocket

/// The clients of a listener by the names of their groups. The listener's lock guards it.
struct Groups {
    fileprivate final class Group {
        let name: [UInt8]
        var members: [Membership] = []

        init(_ name: [UInt8]) {
            self.name = name
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

    private var groups: [Group] = []

    func members(of name: [UInt8]) -> [Connection] {
        group(name)?.members.map { $0.connection } ?? []
    }

    mutating func join(_ connection: Connection, _ name: [UInt8], _ memberships: inout Memberships) {
        guard !memberships.list.contains(where: { $0.group.name.elementsEqual(name) }) else { return }
        let group = group(name) ?? add(name)
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

    private func group(_ name: [UInt8]) -> Group? { groups.first { $0.name.elementsEqual(name) } }

    private mutating func add(_ name: [UInt8]) -> Group {
        let group = Group(name)
        groups.append(group)
        return group
    }

    /// The last one takes the place that becomes free. A group without members is forgotten.
    private mutating func end(_ membership: Membership) {
        let group = membership.group
        guard let last = group.members.popLast() else { return }
        if last !== membership {
            group.members[membership.index] = last
            last.index = membership.index
        }
        if group.members.isEmpty { groups.removeAll { $0 === group } }
    }
}
