import CHeartwire
import Testing
import WebSocket

@testable import Heartwire

struct PropertyTableTests {
    @Test func everyPropertyStandsAtTheIndexOfItsId() {
        #expect(PropertyTable.properties.count == PropertyId.allCases.count)
        for (index, property) in PropertyTable.properties.enumerated() {
            #expect(property.id.rawValue == index)
            #expect(PropertyTable.find(bytes(text(property.name))).property?.id == property.id)
        }
    }

    @Test func namesAreUniqueAndDocumentsComplete() {
        #expect(Set(PropertyTable.properties.map { text($0.name) }).count == PropertyTable.properties.count)
        for property in PropertyTable.properties {
            #expect(!text(property.doc).isEmpty)
            #expect(!text(property.range).isEmpty)
            #expect(text(property.name).allSatisfy { $0.isLowercase || $0 == "." || $0 == "_" })
        }
    }

    @Test func defaultsAreValidAndInTheirShortestForm() throws {
        for property in PropertyTable.properties {
            let value = try #require(PropertyValue(ASCII.bytes(property.defaultValue), for: property), "\(property.name)")
            #expect(value.text(for: property) == ASCII.bytes(property.defaultValue))
        }
    }

    /// The words that a person reads are the values that the parser takes.
    @Test func rangesSayWhatIsAccepted() {
        for property in PropertyTable.properties {
            switch property.kind {
            case .boolean, .choice:
                for word in text(property.range).split(separator: " | ") {
                    #expect(PropertyValue(bytes(String(word)), for: property) != nil)
                }
            case .integer, .duration, .size:
                let ends = text(property.range).split(separator: " .. ").map { bytes(String($0)) }
                #expect(ends.count == 2)
                for end in ends { #expect(PropertyValue(end, for: property) != nil, "\(property.name)") }
            case .text, .bytes, .pem:
                break
            }
        }
    }

    @Test(arguments: [
        ("ping.intervall", "ping.interval"), ("Ping.interval", "ping.interval"), ("pinginterval", "ping.interval"),
        ("reconect.base", "reconnect.base"), ("inbox.overfow", "inbox.overflow"), ("deliverie", "delivery"),
    ])
    func suggestsTheNearestName(name: String, suggestion: String) {
        let found = PropertyTable.find(bytes(name))
        #expect(found.property?.id == nil)
        #expect(found.suggestion == suggestion)
    }

    @Test func suggestsNothingForWhatResemblesNothing() {
        for name in ["", "z", "qqqqqqqq", String(repeating: "ping.interval", count: 100)] {
            let found = PropertyTable.find(bytes(name))
            #expect(found.property?.id == nil)
            #expect(found.suggestion == nil, "\(name)")
        }
    }
}
