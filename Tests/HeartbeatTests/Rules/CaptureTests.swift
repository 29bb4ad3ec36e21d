import Heartbeat
import Testing
import WebSocket

struct CaptureTests {
    @Test(arguments: [
        (#""payload""#, "a\nb", "a\nb"),
        (#""/ts""#, #"{"ts": 1.50 }"#, "1.50"),
        (#""/ts""#, #"{"ts":"a\"b"}"#, #""a\"b""#),
        (#""/ts""#, #"{"ts":9223372036854775808}"#, "9223372036854775808"),
        (#""/ts""#, #"{"ts":null}"#, "null"),
        (#""/ts""#, #"{"ts":{"a":[1, 2]}}"#, #"{"a":[1, 2]}"#),
        (#""/ts""#, #"{"t":1}"#, nil),
        (#""/ts""#, "no JSON", nil),
        (#""""#, " [1] ", "[1]"),
        (#""/d/!/t""#, #"{"d":"{\"t\":\"x\"}"}"#, #""x""#),
        (#"{"after": "PING"}"#, "PING :server", ":server"),
        (#"{"after": "PING"}"#, "PING", ""),
        (#"{"after": "PING"}"#, "PIN", nil),
        (#"{"after": ""}"#, " all of it\r\n", "all of it"),
        (#"{"after": "a", "until": null}"#, "xa\tb ", "b"),
        (#"{"after": "a=", "until": ";"}"#, "a= 1 ;b=2", "1"),
        (#"{"after": "a=", "until": ";"}"#, "a=1", "1"),
        (#"{"after": "a=", "until": ";"}"#, ";a=1;", "1"),
        (#"{"after": "aab"}"#, "aaab1", "1"),
        (#"{"after": "heart-beat:", "until": "\n", "sep": ",", "index": 0}"#, "CONNECTED\nheart-beat:5000, 8000\r\nx:1,2", "5000"),
        (#"{"after": "heart-beat:", "until": "\n", "sep": ",", "index": 1}"#, "CONNECTED\nheart-beat:5000, 8000\r\nx:1,2", "8000"),
        (#"{"after": "heart-beat:", "until": "\n", "sep": ",", "index": 2}"#, "CONNECTED\nheart-beat:5000, 8000\r\nx:1,2", nil),
        (#"{"after": "\"pingTimeout\":", "until": ",", "sep": "}", "index": 0}"#, #"0{"pingTimeout":20000}"#, "20000"),
        (#"{"after": "\"pingTimeout\":", "until": ",", "sep": "}", "index": 0}"#, #"0{"pingTimeout":20000,"max":1}"#, "20000"),
        (#"{"after": "CONOK,", "until": "\r", "sep": ",", "index": 2}"#, "CONOK,session,70000,5000,*", "5000"),
        (#"{"after": "=", "sep": ", "}"#, "=a, b", "a"),
        (#"{"after": "=", "sep": ", ", "index": 1}"#, "=a, ", ""),
    ])
    func captures(capture: String, message: String, captured: String?) throws {
        let rules = try compile(#"{"learn": [{"on": {}, "path": \#(capture), "var": "v"}]}"#)
        let scanner = JSONScanner()
        let text = withUnit(Array(message.utf8)) { unit in
            withExtendedLifetime(scanner) {
                rules.learns[0].capture.view(of: &unit, rules, scanner).map { String(decoding: $0, as: UTF8.self) }
            }
        }
        #expect(text == captured)
    }
}
