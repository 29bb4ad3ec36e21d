import CHeartwire
import Foundation
import Testing

@testable import Heartwire

struct StatusTests {
    /// The constants of the public header, which is the contract: name and number.
    private func constants() throws -> [(name: String, value: hw_status)] {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let header = try String(contentsOf: root.appendingPathComponent("include/heartwire.h"), encoding: .utf8)
        return header.split(separator: "\n").compactMap { line in
            let words = line.split(whereSeparator: { " ,".contains($0) })
            guard words.count >= 3, words[0] == "HW_OK" || words[0].hasPrefix("HW_E_"), words[1] == "=", let value = hw_status(words[2])
            else { return nil }
            return (String(words[0]), value)
        }
    }

    @Test func namesEveryConstantOfTheHeaderAndNoOther() throws {
        let constants = try constants()
        #expect(constants.count > 20)
        #expect(constants.map { $0.name } == Status.names.map { text($0.name) })
        #expect(constants.map { $0.value } == Status.names.map { $0.value })
    }

    @Test func valuesAreUniqueAndNegative() {
        #expect(Set(Status.names.map { $0.value }).count == Status.names.count)
        #expect(Status.names.filter { $0.value >= 0 }.map { text($0.name) } == ["HW_OK"])
    }

    @Test func findsNames() {
        #expect(text(Status.name(0)) == "HW_OK")
        #expect(text(Status.name(hw_status(HW_E_TIMEOUT))) == "HW_E_TIMEOUT")
        for status in [1, -6, .min, .max] as [hw_status] { #expect(text(Status.name(status)) == "HW_E_UNKNOWN") }
    }
}
