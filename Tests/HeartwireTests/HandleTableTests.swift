import CHeartwire
import Testing

@testable import Heartwire

struct HandleTableTests {
    private func isLive(_ table: HandleTable, _ handle: OpaquePointer?) -> Bool {
        if case .found = table.config(handle) { true } else { false }
    }

    private func isForked(_ table: HandleTable, _ handle: OpaquePointer?) -> Bool {
        if case .forked = table.config(handle) { true } else { false }
    }

    @Test func findsWhatWasInserted() throws {
        let table = HandleTable(epoch: 0)
        let (config, inbox) = (Config(), Inbox(Inbox.Limits(Config().snapshot)))
        let connection = try idleConnection()
        let handles = try [HandleTarget.config(config), .inbox(inbox), .connection(connection)].map { try #require(table.insert($0)) }
        #expect(Set(handles).count == 3)
        if case .found(let found) = table.config(handles[0]) { #expect(found === config) } else { Issue.record("no configuration") }
        if case .found(let found) = table.inbox(handles[1]) { #expect(found === inbox) } else { Issue.record("no inbox") }
        if case .found(let found) = table.connection(handles[2]) { #expect(found === connection) } else { Issue.record("no connection") }
    }

    @Test func knowsNoHandleOfAnotherKind() throws {
        let table = HandleTable(epoch: 0)
        let handle = try #require(table.insert(.config(Config())))
        if case .invalid = table.inbox(handle) {} else { Issue.record("a configuration was taken for an inbox") }
        if case .invalid = table.connection(handle) {} else { Issue.record("a configuration was taken for a connection") }
        #expect(table.remove(handle, .inbox) == nil)
        #expect(isLive(table, handle))
    }

    @Test func aRemovedHandleIsStaleForGood() throws {
        let table = HandleTable(epoch: 0)
        let handle = try #require(table.insert(.config(Config())))
        #expect(table.remove(handle, .config) != nil)
        #expect(table.remove(handle, .config) == nil)
        #expect(!isLive(table, handle))
        var seen: Set<OpaquePointer> = [handle]
        for _ in 0..<5000 {
            let next = try #require(table.insert(.config(Config())))
            #expect(seen.insert(next).inserted)
            #expect(!isLive(table, handle))
            #expect(table.remove(next, .config) != nil)
        }
    }

    @Test func survivesForgedHandles() throws {
        let table = HandleTable(epoch: 3)
        let handle = try #require(table.insert(.config(Config())))
        #expect(!isLive(table, nil))
        let bits = UInt(bitPattern: handle)
        for bit in 0..<UInt.bitWidth { #expect(!isLive(table, OpaquePointer(bitPattern: bits ^ (1 << UInt(bit))))) }
        for pattern in [1, 2, 3, 7, UInt.max, UInt.max - 1, 0xDEAD_BEEF, bits + 1, bits &* 3] {
            #expect(!isLive(table, OpaquePointer(bitPattern: pattern)))
            #expect(table.remove(OpaquePointer(bitPattern: pattern), .config) == nil)
        }
        #expect(isLive(table, handle))
    }

    @Test func tellsHandlesOfTheParentProcessApart() throws {
        let parent = HandleTable(epoch: 0)
        let child = HandleTable(epoch: 1)
        let handle = try #require(parent.insert(.config(Config())))
        #expect(isForked(child, handle))
        let own = try #require(child.insert(.config(Config())))
        #expect(own != handle)
        #expect(!isForked(parent, own))
        #expect(!isLive(parent, own))
    }

    @Test func keepsManyApart() throws {
        let table = HandleTable(epoch: 0)
        var live: [(OpaquePointer, Config)] = []
        for round in 0..<3000 {
            let config = Config()
            live.append((try #require(table.insert(.config(config))), config))
            if round % 3 == 2 {
                let (handle, _) = live.remove(at: (round * 7919) % live.count)
                #expect(table.remove(handle, .config) != nil)
            }
        }
        for (handle, config) in live {
            if case .found(let found) = table.config(handle) { #expect(found === config) } else { Issue.record("a live handle was lost") }
        }
    }
}
