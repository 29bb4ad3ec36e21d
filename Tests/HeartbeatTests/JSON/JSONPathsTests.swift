import Heartbeat
import Testing

struct JSONPathsTests {
    private func error(_ pointer: String) -> JSONPointerError? {
        var paths = JSONPaths()
        do throws(JSONPointerError) {
            _ = try paths.slot(for: Array(pointer.utf8))
            return nil
        } catch {
            #expect(paths.count == 0)
            #expect(!error.sentence.isEmpty)
            return error
        }
    }

    @Test func numbersPathsInTheirOrder() throws {
        var paths = JSONPaths()
        for (pointer, slot) in [
            ("/a", 0), ("", 1), ("/a/b", 2), ("/a", 0), ("/a/!", 3), ("/a/!/b", 4), ("/a/b", 2), ("", 1), ("/a/!/b", 4),
        ] {
            #expect(try paths.slot(for: Array(pointer.utf8)) == slot)
        }
        #expect(paths.count == 5)
    }

    @Test func holdsEscapedAndPlainStepsForWhatTheyMean() throws {
        var paths = JSONPaths()
        let slots = try ["/~0", "/~1", "/~01", "/~00", "//", "/", "/0", "/00"].map { try paths.slot(for: Array($0.utf8)) }
        #expect(slots == Array(0..<8))
    }

    @Test func refusesWhatIsNoPath() {
        #expect(error("a") == .noSlashInFront)
        #expect(error("#/a") == .noSlashInFront)
        #expect(error("!") == .noSlashInFront)
        #expect(error("/a~") == .escape(offset: 2))
        #expect(error("/a/~2") == .escape(offset: 3))
        #expect(error("/~/b") == .escape(offset: 1))
        #expect(error("/~~0") == .escape(offset: 1))
    }

    @Test func limitsStepsAndDocumentsInStrings() {
        #expect(error(String(repeating: "/a", count: 64)) == nil)
        #expect(error(String(repeating: "/a", count: 65)) == .tooManySteps)
        #expect(error(String(repeating: "/a", count: 64) + "/!" + String(repeating: "/a", count: 64)) == nil)
        #expect(error("/!/!/!/!") == nil)
        #expect(error("/a/!/a/!/a/!/a/!/a/!") == .tooManyInnerDocuments)
    }

    @Test func findsTheDeepestValue() throws {
        let text = JSONDocuments.nested("{\"a\":[", "]}", 32, inside: "7")
        #expect(try Scan(text, String(repeating: "/a/0", count: 32)).values == ["7"])
    }

    @Test func findsManyValuesAtOnce() throws {
        let members = (0..<300).map { "\"k\($0)\":\($0)" }
        let scan = try Scan(Array("{\(members.joined(separator: ","))}".utf8), (0..<300).map { "/k\(299 - $0)" })
        #expect(scan.values == (0..<300).map { Scan.Value(kind: .number, text: "\(299 - $0)") })
    }
}
