import Heartbeat
import Testing
import WebSocket

struct UnitSplitterTests {
    @Test(arguments: [
        (UnitSplit?.none, "a\nb", ["a\nb"]),
        (nil, "", [""]),
        (.lineFeed, "a\nb\n", ["a", "b"]),
        (.lineFeed, "a\nb", ["a", "b"]),
        (.lineFeed, "\n\na\n\n", ["a"]),
        (.lineFeed, "", []),
        (.lineFeed, "{\"id\":1}\n {} \r\n\r\n", ["{\"id\":1}", " {} \r", "\r"]),
        (.carriageReturnLineFeed, "a\r\nb\r\n", ["a", "b"]),
        (.carriageReturnLineFeed, "PING", ["PING"]),
        (.carriageReturnLineFeed, "a\nb\rc\r\n\r\nd\r", ["a\nb\rc", "d\r"]),
        (.carriageReturnLineFeed, "\n\r\n\r\n", ["\n"]),
        (.recordSeparator, "{}\u{1E}{\"type\":6}\u{1E}", ["{}", "{\"type\":6}"]),
        (.recordSeparator, "{}", ["{}"]),
        (.tradingView, "~m~4~m~~h~1", ["~h~1"]),
        (.tradingView, "~m~2~m~{}~m~0~m~~m~4~m~~h~2", ["{}", "~h~2"]),
        (.tradingView, "~m~3~m~äé1~m~4~m~~h~1", ["äé1", "~h~1"]),
        (.tradingView, "~m~2~m~😀~m~4~m~~h~1", ["😀", "~h~1"]),
        (.tradingView, "~m~1~m~😀~m~4~m~~h~1", []),
        (.tradingView, "~m~5~m~~h~1", []),
        (.tradingView, "~m~4~m~~h~1~m~x", ["~h~1"]),
        (.tradingView, "x~m~4~m~~h~1", []),
        (.tradingView, "~m~~m~", []),
        (.tradingView, "~m~4", []),
        (.tradingView, "~m~99999999999999999999~m~a", []),
        (.varint, "\u{2}ab\u{0}\u{1}c", ["ab", "c"]),
        (.varint, "\u{2}ab\u{5}c", ["ab"]),
        (.mqtt, "\u{30}\u{2}ab\u{50}\u{0}", ["\u{30}\u{2}ab", "\u{50}\u{0}"]),
    ])
    func splits(split: UnitSplit?, message: String, units: [String]) {
        var splitter = UnitSplitter(split)
        #expect(self.units(&splitter, Array(message.utf8)).map { String(decoding: $0, as: UTF8.self) } == units)
    }

    /// Separators are looked for in several bytes at once.
    @Test func separatorsMayStandAnywhere() {
        for before in 0..<20 {
            for after in 0..<20 {
                for neighbour: UInt8 in [0x0B, 0x09, 0x0A | 0x80, 0x00] {
                    let first = [UInt8](repeating: neighbour, count: before)
                    let second = [UInt8](repeating: neighbour, count: after)
                    var splitter = UnitSplitter(.lineFeed)
                    #expect(units(&splitter, first + [0x0A] + second) == [first, second].filter { !$0.isEmpty })
                }
            }
        }
    }

    @Test func readsLongVarintLengths() {
        var splitter = UnitSplitter(.varint)
        let record = [UInt8](repeating: 7, count: 300)
        #expect(units(&splitter, [0xAC, 0x02] + record + [0x81, 0x80, 0x80, 0x80, 0x00, 0x09]) == [record, [0x09]])
        #expect(units(&splitter, [0x01, 0x05, 0x81, 0x80, 0x80, 0x80, 0x80, 0x00, 0x09]) == [[0x05]])
        #expect(units(&splitter, [0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0x01]) == [])
        #expect(units(&splitter, [0x80]) == [])
    }

    @Test func textIsOneUnitWhereUnitsAreFramedInBinary() {
        var mqtt = UnitSplitter(.mqtt)
        var varint = UnitSplitter(.varint)
        #expect(units(&mqtt, [0xC0, 0x05], kind: .text) == [[0xC0, 0x05]])
        #expect(units(&mqtt, [0xD0, 0x00]) == [[0xD0, 0x00]])
        #expect(units(&varint, [0x05], kind: .text) == [[0x05]])
    }

    @Test func mqttPacketsMayBeCutAnywhere() {
        let small: [UInt8] = [0x30, 0x03, 1, 2, 3]
        let largest = [0x30, 62] + [UInt8](repeating: 4, count: 62)
        let stream = [0xD0, 0x00] + small + largest + [0xD0, 0x00]
        for first in 0...stream.count {
            for second in first...stream.count {
                var splitter = UnitSplitter(.mqtt)
                let pieces = [stream[..<first], stream[first..<second], stream[second...]]
                let received = pieces.flatMap { units(&splitter, Array($0)) }
                #expect(received == [[0xD0, 0x00], small, largest, [0xD0, 0x00]], "cut at \(first) and \(second)")
            }
        }
    }

    @Test func largeMQTTPacketsAreGivenWholeOrPassedOver() {
        let large = [0x30, 0xAC, 0x02] + [UInt8](repeating: 4, count: 300)
        let stream = large + [0xD0, 0x00]
        for cut in 0...stream.count {
            var splitter = UnitSplitter(.mqtt)
            let received = units(&splitter, Array(stream[..<cut])) + units(&splitter, Array(stream[cut...]))
            let isCut = cut > 0 && cut < large.count
            #expect(received == (isCut ? [[0xD0, 0x00]] : [large, [0xD0, 0x00]]), "cut at \(cut)")
        }
    }

    @Test func malformedMQTTLengthsDropTheMessageOnly() {
        var splitter = UnitSplitter(.mqtt)
        #expect(units(&splitter, [0xD0, 0x00, 0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 0xD0, 0x00]) == [[0xD0, 0x00]])
        #expect(units(&splitter, [0xD0, 0x00]) == [[0xD0, 0x00]])
        #expect(units(&splitter, [0x30, 0xFF, 0xFF]) == [])
        #expect(units(&splitter, [0xFF, 0xFF, 0x01, 0x02]) == [])
        #expect(units(&splitter, [0xD0, 0x00]) == [[0xD0, 0x00]])
    }

    private func units(_ splitter: inout UnitSplitter, _ message: [UInt8], kind: MessageKind = .binary) -> [[UInt8]] {
        message.withUnsafeBytes { bytes in
            splitter.begin(bytes, kind: kind)
            var units: [[UInt8]] = []
            while let unit = splitter.next() { units.append(Array(unit)) }
            return units
        }
    }
}
