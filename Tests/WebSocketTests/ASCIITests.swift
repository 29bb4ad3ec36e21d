import Testing
import WebSocket

struct ASCIITests {
    @Test func lowercasesLettersOnly() {
        for byte in UInt8.min...UInt8.max {
            let isUpper = byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z")
            #expect(ASCII.lowercased(byte) == (isUpper ? byte + 32 : byte))
        }
    }

    @Test(arguments: [("Upgrade", true), ("UPGRADE", true), ("upgrad", false), ("upgrades", false), ("upgradE", true), ("", false)])
    func comparesIgnoringCase(text: String, isEqual: Bool) {
        #expect(ASCII.equalsIgnoringCase(bytes(text), "upgrade") == isEqual)
    }

    @Test func differsWhereOnlyTheCaseBitOfASymbolDiffers() {
        #expect(!ASCII.equalsIgnoringCase(bytes("["), "{"))
        #expect(!ASCII.equalsIgnoringCase(bytes("@"), "`"))
    }

    @Test func tokensAreThoseOfRFC9110() {
        let allowed = Set(bytes("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"))
        for byte in UInt8.min...UInt8.max {
            #expect(ASCII.isTokenCharacter(byte) == allowed.contains(byte))
            #expect(ASCII.isToken([byte]) == allowed.contains(byte))
        }
        #expect(!ASCII.isToken([]))
        #expect(!ASCII.isToken(bytes("two words")))
    }

    @Test func fieldValuesHoldNoControlCharacterButTheTab() {
        for byte in UInt8.min...UInt8.max {
            #expect(ASCII.isFieldValueCharacter(byte) == (byte == 9 || (byte >= 32 && byte != 127)))
        }
    }

    @Test(arguments: [("", ""), (" \t ", ""), ("a", "a"), ("\t a b \t", "a b"), ("a\r", "a\r")])
    func trimsSpacesAndTabs(text: String, trimmed: String) {
        #expect([UInt8](ASCII.trimmed(bytes(text)[...])) == bytes(trimmed))
    }

    @Test(arguments: [
        ("", []), (",, ,", []), ("a", ["a"]), ("a,b", ["a", "b"]), (" a , \tb c,,d ", ["a", "b c", "d"]),
    ])
    func splitsLists(text: String, members: [String]) {
        #expect(ASCII.list(bytes(text)[...]).map { [UInt8]($0) } == members.map(bytes))
    }

    @Test(
        arguments: [
            ("", 100, nil), ("0", 100, 0), ("007", 100, 7), ("100", 100, 100), ("101", 100, nil), ("-1", 100, nil), ("1 ", 100, nil),
            ("18446744073709551615", UInt64.max, UInt64.max), ("18446744073709551616", UInt64.max, nil),
            ("99999999999999999999999", UInt64.max, nil), ("1:", 100, nil), ("/1", 100, nil),
        ] as [(String, UInt64, UInt64?)])
    func parsesDecimals(text: String, max: UInt64, value: UInt64?) {
        #expect(ASCII.decimal(bytes(text), max: max) == value)
    }

    @Test func givesTheBytesOfALiteral() {
        #expect(ASCII.bytes("wss") == [0x77, 0x73, 0x73])
        #expect(ASCII.bytes("") == [])
    }
}
