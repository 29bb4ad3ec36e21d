import Heartbeat
import Testing

struct JSONNumberTests {
    private func comparison(_ number: String, _ decimal: String) throws -> Int {
        let decimal = try #require(JSONDecimal(Array(decimal.utf8)), "\(decimal)")
        return Array(number.utf8).withUnsafeBytes { decimal.comparison(of: $0) }.signum()
    }

    private static let zeros = String(repeating: "0", count: 1000)

    static let equal: [[String]] = [
        ["1", "1.0", "10e-1", "0.1e1", "1e0", "1E+0", "1e-0", "100e-2", "0.001e3", "1.000e00000", "1\(zeros)e-1000", "0.\(zeros)1e1001"],
        ["0", "-0", "0.0", "-0.000", "0e5", "0e-99999999999999999999", "-0E99999999999999999999", "0.0e1"],
        ["-1.5", "-15e-1", "-0.15e1", "-1.50"],
        ["1e400", "10e399", "0.1e401", "1\(zeros)e-600"],
        ["1e99999999999999999999", "10e99999999999999999998", "0.01e100000000000000000001", "1e+00099999999999999999999"],
        ["1e-99999999999999999999", "0.1e-99999999999999999998", "100e-100000000000000000001"],
        ["123456789012345678901234567890", "123456789012345678901234567890.0", "1.2345678901234567890123456789e29"],
        ["0.1", "1e-1", "0.10", "10e-2"], ["1000", "1e3", "1.000e3", "10e2"], ["1e1000", "1\(zeros)"],
    ]

    /// Each is less than the next.
    static let ascending = [
        "-1e99999999999999999999", "-10e99999999999999999997", "-1e400", "-123456789012345678901234567890.1",
        "-123456789012345678901234567890", "-10", "-9.99",
        "-1.0000000000000000000001", "-1", "-0.5", "-0.05", "-1e-400", "-1e-99999999999999999999", "0", "1e-100000000000000000000",
        "1e-99999999999999999999", "2e-99999999999999999999", "1e-400", "0.05", "0.5", "0.50000000000000000000000000000000001", "0.6", "1",
        "1.0000000000000000000001",
        "9.99", "10", "11", "99", "100", "9007199254740992", "9007199254740993", "18446744073709551615", "18446744073709551616", "1e20",
        "1.1e20", "1e400",
        "1e401", "1e9223372036854775807", "1e9223372036854775808", "1e18446744073709551616", "9.9e99999999999999999998",
        "1e99999999999999999999",
        "1.5e99999999999999999999", "1e100000000000000000000", "1e199999999999999999999",
    ]

    @Test func holdsAllFormsOfANumberForEqual() throws {
        for forms in Self.equal {
            for one in forms {
                for other in forms { #expect(try comparison(one, other) == 0, "\(one.prefix(50)) and \(other.prefix(50))") }
            }
        }
    }

    @Test func ordersNumbersByValue() throws {
        for (place, one) in Self.ascending.enumerated() {
            for (otherPlace, other) in Self.ascending.enumerated() {
                #expect(try comparison(one, other) == (place - otherPlace).signum(), "\(one) and \(other)")
            }
        }
    }

    @Test func agreesWithIntegers() throws {
        var random = SeededGenerator(seed: 6)
        for _ in 0..<3000 {
            let (one, other) = (Int.random(in: -2000...2000, using: &random), Int.random(in: -2000...2000, using: &random))
            let (shift, otherShift) = (Int.random(in: 0...3, using: &random), Int.random(in: 0...3, using: &random))
            let scale = [1, 10, 100, 1000]
            let expected = (one * scale[3 - shift] - other * scale[3 - otherShift]).signum()
            #expect(try comparison("\(one)e-\(shift)", "\(other)e-\(otherShift)") == expected)
        }
    }

    @Test func readsExponentsOfAnyLength() throws {
        let nines = String(repeating: "9", count: 100_000)
        #expect(try comparison("1e\(nines)", "1e\(nines)") == 0)
        #expect(try comparison("1e\(nines)", "1e-\(nines)") == 1)
        #expect(try comparison("2e-\(nines)", "1e\(nines)") == -1)
        #expect(try comparison("1e\(nines)", "0.1e1\(String(repeating: "0", count: 100_000))") == 0)
        #expect(try comparison("0e\(nines)", "0") == 0)
        #expect(try comparison("1e\(nines)8", "1e\(nines)9") == -1)
    }

    @Test func refusesWhatIsNoNumber() {
        for text in ["", "-", "+1", "01", "1.", ".1", "1e", "1 ", " 1", "0x1", "NaN", "1,0", "\"1\"", "1e+", "--1", "1\0"] {
            #expect(JSONDecimal(Array(text.utf8)) == nil, "\(text)")
        }
    }
}
