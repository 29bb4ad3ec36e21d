import Foundation
import Heartbeat
import Testing

/// Random changes of documents, read by this reader and by Foundation's.
struct JSONMutationTests {
    @Test func agreesWithFoundationOnChangedDocuments() {
        var random = SeededGenerator(seed: 8259)
        var (acceptedCount, disagreements): (Int, [String]) = (0, [])
        let documents = JSONDocuments.accepted.map(\.text).filter(Self.isCommonGround)
        for round in 0..<20_000 {
            let text = mutate(documents[round % documents.count], with: &random)
            guard Self.isCommonGround(text) else { continue }
            let isAccepted = isDocument(text)
            acceptedCount += isAccepted ? 1 : 0
            if isAccepted != Self.foundationAccepts(text) { disagreements.append(String(decoding: text, as: UTF8.self)) }
        }
        let (count, examples) = (disagreements.count, disagreements.prefix(20))
        #expect(count == 0, "such as \(examples)")
        #expect(acceptedCount > 1000)
    }

    /// Foundation guesses encodings from zeros, knows no lone surrogates nor other bytes than UTF-8, nothing that Double cannot hold,
    /// nests deeper, and takes commas behind last elements.
    private static func isCommonGround(_ text: [UInt8]) -> Bool {
        let apart = #"\\u[dD]|[eE][+-]?[0-9]{3}|[0-9]{100}|,[ \t\r\n]*[\]}]"#
        return text.count < 60 && text.allSatisfy { (0x01..<0x80).contains($0) }
            && String(decoding: text, as: UTF8.self).range(of: apart, options: .regularExpression) == nil
    }

    private static func foundationAccepts(_ text: [UInt8]) -> Bool {
        (try? JSONSerialization.jsonObject(with: Data(text), options: .fragmentsAllowed)) != nil
    }

    private func mutate(_ document: [UInt8], with random: inout SeededGenerator) -> [UInt8] {
        let alphabet = Array("[]{},:\"0123456789.eE+-ntfu \n\t\u{1}ax/'\\b".utf8)
        var text = document
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let place = Int.random(in: 0...text.count, using: &random)
            let byte = alphabet.randomElement(using: &random) ?? 0
            switch Int.random(in: 0..<4, using: &random) {
            case 0: text.insert(byte, at: place)
            case 1 where place < text.count: text[place] = byte
            case 2 where place < text.count: text.remove(at: place)
            default:
                let other = Int.random(in: 0...text.count, using: &random)
                text.insert(contentsOf: text[min(place, other)..<max(place, other)], at: place)
            }
        }
        return text
    }
}
