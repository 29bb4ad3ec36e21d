import Heartbeat
import Session
import Testing

struct DuplicateFilterTests {
    private final class Harness {
        private var filter: DuplicateFilter
        private let scanner = JSONScanner()

        init(_ path: String = "/id") throws {
            filter = DuplicateFilter(try DuplicateKey(bytes(path)), seed: 1)
        }

        /// What passes of the messages by the older connection.
        func older(_ messages: String...) -> [String] { messages.filter { !isDuplicate($0, isOfNewer: false) } }
        func newer(_ messages: String...) -> [String] { messages.filter { !isDuplicate($0, isOfNewer: true) } }

        func isDuplicate(_ message: String, isOfNewer: Bool) -> Bool {
            bytes(message).withUnsafeBytes { filter.isDuplicate($0, isOfNewer: isOfNewer, scanner) }
        }
    }

    @Test func whatTheOtherConnectionDeliveredIsADuplicate() throws {
        let harness = try Harness()
        #expect(harness.older(#"{"id":1}"#, #"{"id":2}"#) == [#"{"id":1}"#, #"{"id":2}"#])
        #expect(harness.newer(#"{"id":2,"more":0}"#, #"{"id":3}"#) == [#"{"id":3}"#])
        #expect(harness.older(#"{"id":3}"#, #"{"id":4}"#) == [#"{"id":4}"#])
        #expect(harness.newer(#"{"id":1}"#) == [])
    }

    @Test func aConnectionHasNoDuplicatesOfItsOwn() throws {
        let harness = try Harness()
        #expect(harness.older(#"{"id":1}"#, #"{"id":1}"#).count == 2)
        #expect(harness.newer(#"{"id":1}"#, #"{"id":1}"#, #"{"id":1}"#).count == 1)
        #expect(harness.older(#"{"id":1}"#).count == 0)
        #expect(harness.older(#"{"id":1}"#).count == 1)
    }

    @Test(arguments: [
        (#"{"id":1}"#, #"{"id":1.0}"#), (#"{"id":1}"#, #"{"id":"1"}"#), (#"{"id":"a"}"#, #"{"id":"A"}"#),
        (#"{"id":null}"#, #"{"id":null}"#),
        (#"{"n":1}"#, #"{"n":1}"#), ("id", "id"), ("", ""), (#"{"id":1"#, #"{"id":1"#), (#"{"id":[1]}"#, #"{"id":[1,2]}"#),
    ])
    func whatDiffersPasses(older: String, newer: String) throws {
        let harness = try Harness()
        #expect(harness.older(older) == [older])
        #expect(harness.newer(newer) == [newer])
    }

    @Test func pathsAreThoseOfRules() throws {
        let harness = try Harness("/data/!/id")
        let message = #"{"data":"{\"id\":\"x\"}"}"#
        #expect(harness.older(message) == [message])
        #expect(harness.newer(message) == [])
        #expect(throws: JSONPointerError.noSlashInFront) { try Harness("data.id") }
    }

    @Test func longValuesPass() throws {
        let harness = try Harness()
        let longest = #"{"id":"\#(String(repeating: "x", count: 254))"}"#
        let longer = #"{"id":"\#(String(repeating: "x", count: 255))"}"#
        #expect(harness.older(longest, longer).count == 2)
        #expect(harness.newer(longest, longer) == [longer])
    }

    @Test func theOldestAreForgotten() throws {
        let harness = try Harness()
        let count = 5 * DuplicateFilter.deliveriesMax / 2
        for id in 0..<count { #expect(!harness.isDuplicate(#"{"id":\#(id)}"#, isOfNewer: false)) }
        var remembered = 0
        while remembered < count, harness.isDuplicate(#"{"id":\#(count - 1 - remembered)}"#, isOfNewer: true) { remembered += 1 }
        #expect(remembered >= DuplicateFilter.deliveriesMax)
        #expect(remembered <= 2 * DuplicateFilter.deliveriesMax)
    }

    /// One feed by both connections, of which each is behind at times; of each value as many pass as the feed has.
    @Test(arguments: 1...20) func allOfAFeedPassesOnce(seed: UInt64) throws {
        var random = Random(seed: seed)
        let feed = (0..<2000).map { _ in random.next(through: 500) }
        let harness = try Harness()
        var passed: [UInt64: Int] = [:]
        var (older, newer) = (0, 0)
        while older < feed.count || newer < feed.count {
            let isOfNewer = older == feed.count || newer < feed.count && random.next(through: 1) == 0
            let id = isOfNewer ? feed[newer] : feed[older]
            if isOfNewer { newer += 1 } else { older += 1 }
            if !harness.isDuplicate(#"{"id":\#(id)}"#, isOfNewer: isOfNewer) { passed[id, default: 0] += 1 }
        }
        var expected: [UInt64: Int] = [:]
        for id in feed { expected[id, default: 0] += 1 }
        #expect(passed == expected)
    }
}
