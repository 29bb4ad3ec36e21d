import Heartbeat
import Testing
import WebSocket

struct LearnedDurationTests {
    @Test(arguments: [
        ("25", LearnedInterval.known(.seconds(25))),
        ("\"25\"", .known(.seconds(25))),
        ("2.5", .known(.milliseconds(2500))),
        ("25e-1", .known(.milliseconds(2500))),
        ("2E1", .known(.seconds(20))),
        ("0025", .known(.seconds(25))),
        ("0", .off), ("0.0", .off), ("-0", .off), ("-1", .off), ("-1e300", .off), ("\"0\"", .off),
        ("", .unknown), ("\"\"", .unknown), ("null", .unknown), ("true", .unknown), ("abc", .unknown), ("5s", .unknown), ("1.", .unknown),
        (".5", .unknown), ("1e", .unknown), ("--1", .unknown), ("[1]", .unknown), ("\"", .unknown), (" 1", .unknown),
        ("1e300", .known(.seconds(604_800))), ("99999999999999999999", .known(.seconds(604_800))),
        ("1e999999999999999999999", .known(.seconds(604_800))),
        ("0.0000001", .known(.milliseconds(100))),
    ])
    func readsWhatWasLearned(text: String, interval: LearnedInterval) throws {
        #expect(try evaluate(#"{"var": "v", "unit": "s"}"#, text) == interval)
    }

    @Test(arguments: [
        (#""unit": "ms""#, "45000", "0", Int64(45_000)),
        (#""unit": "ms", "min_ms": 10000"#, "5000", "0", 10_000),
        (#""unit": "ms", "min_ms": 10000"#, "15000", "0", 15_000),
        (#""unit": "s", "max_ms": 120000"#, "200", "0", 120_000),
        (#""unit": "s", "max_ms": 120000"#, "30", "0", 30_000),
        (#""unit": "s", "mul": 1.2"#, "10", "0", 12_000),
        (#""unit": "s", "mul": 0.5"#, "60", "0", 30_000),
        (#""unit": "ms", "min_ms": 10000, "mul": 2"#, "4000", "0", 20_000),
        (#""unit": "s", "max_ms": 10000, "mul": 2, "add_ms": 500"#, "60", "0", 20_500),
        (#""unit": "ms", "add_var": "w""#, "25000", "20000", 45_000),
        (#""unit": "s", "min_ms": 2000, "mul": 3, "add_ms": 100, "add_var": "w""#, "1", "5", 11_100),
        (#""unit": "s", "add_var": "w""#, "5", "-3", 5000),
        (#""unit": "s", "mul": 0.001, "min_ms": 1"#, "0.001", "0", 100),
    ])
    func computesInOrder(members: String, value: String, added: String, milliseconds: Int64) throws {
        #expect(try evaluate(#"{"var": "v", \#(members)}"#, value, added) == .known(.milliseconds(milliseconds)))
    }

    @Test func theDefaultStandsForWhatIsUnknown() throws {
        let duration = #"{"var": "v", "unit": "s", "min_ms": 60000, "mul": 2, "add_var": "w", "default_ms": 3000}"#
        #expect(try evaluate(duration, nil, "1") == .known(.seconds(3)))
        #expect(try evaluate(duration, "1", nil) == .known(.seconds(3)))
        #expect(try evaluate(duration, "junk", "1") == .known(.seconds(3)))
        #expect(try evaluate(duration, "0", "1") == .off)
        #expect(try evaluate(duration, "60", "1") == .known(.seconds(121)))
    }

    @Test func withoutADefaultTheUnknownStaysUnknown() throws {
        #expect(try evaluate(#"{"var": "v", "unit": "s"}"#, nil) == .unknown)
        #expect(try evaluate(#"{"var": "v", "unit": "s", "add_var": "w"}"#, "1", nil) == .unknown)
    }

    @Test func literalsAreKnown() throws {
        #expect(try evaluate(#""17500ms""#, nil) == .known(.milliseconds(17500)))
    }

    @Test(arguments: [
        ("0", Int64?.some(0)), ("7", 7), ("\"7\"", 7), ("9223372036854775807", 9_223_372_036_854_775_807), ("9223372036854775808", nil),
        ("-1", nil), ("1.0", nil), ("", nil), ("\"", nil), ("x", nil),
    ])
    func counts(text: String, count: Int64?) {
        #expect(Array(text.utf8).withUnsafeBytes { learnedCount($0) } == count)
    }

    private func evaluate(_ duration: String, _ value: String?, _ added: String? = "0") throws -> LearnedInterval {
        let rules = try compile(#"{"watch": [{"on": "any_rx", "within": \#(duration)}]}"#)
        return rules.watches[0].within.evaluate { variable in
            (rules.variables[variable] == Array("v".utf8) ? value : added).map { Array($0.utf8) }
        }
    }
}
