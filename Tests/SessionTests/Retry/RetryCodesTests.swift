import Session
import Testing

struct RetryCodesTests {
    @Test(
        arguments: [("", []), ("401", [401]), ("100,599,1000,4999", [100, 599, 1000, 4999]), (" 403 ,\t4001", [403, 4001])]
            as [(String, [UInt16])])
    func readsCodes(text: String, codes: [UInt16]) throws {
        let list = try RetryCodes(parsing: bytes(text))
        for code in UInt16(0)...5000 { #expect(list.contains(code) == codes.contains(code)) }
    }

    @Test(
        arguments: [
            ("99", "99"), ("600", "600"), ("999", "999"), ("5000", "5000"), ("70000", "70000"), ("401,", ""), (",", ""), (" ", ""),
            ("401 403", "401 403"), ("4xx", "4xx"), ("-1", "-1"), ("401;403", "401;403"),
        ] as [(String, String)])
    func namesWhatIsNoCode(text: String, item: String) {
        #expect(throws: RetryCodesError.notACode(item: bytes(item))) { try RetryCodes(parsing: bytes(text)) }
    }

    @Test func namesACodeThatComesTwice() {
        #expect(throws: RetryCodesError.twice(403)) { try RetryCodes(parsing: bytes("403,404, 403")) }
        #expect(throws: RetryCodesError.twice(403)) { try RetryCodes(parsing: bytes("403,0403")) }
    }

    @Test func findsACodeThatStandsInBoth() throws {
        let list = try RetryCodes(parsing: bytes("401,4000"))
        #expect(list.firstShared(with: try RetryCodes(parsing: bytes("403,4000"))) == 4000)
        #expect(list.firstShared(with: try RetryCodes(parsing: bytes("403"))) == nil)
    }
}
