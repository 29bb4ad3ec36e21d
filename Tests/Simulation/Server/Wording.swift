import Heartbeat
import WebSocket

/// The little language of clients and servers here, and the heartbeat rules for it.
enum Wording {
    // MARK: What servers say

    static func data(connection: Int, _ number: Int, size: Int) -> [UInt8] {
        let head = [UInt8]("{\"t\":\"d\",\"c\":\(connection),\"n\":\(number),\"p\":\"".utf8)
        return head + filler(number, max(0, size - head.count - 2)) + ASCII.bytes("\"}")
    }

    static func request(connection: Int, _ number: Int) -> [UInt8] { [UInt8]("{\"t\":\"hb\",\"c\":\(connection),\"n\":\(number)}".utf8) }
    static func ack(_ number: Int) -> [UInt8] { [UInt8]("{\"t\":\"ack\",\"q\":\(number)}".utf8) }
    static func ping(connection: Int, _ number: Int) -> [UInt8] { [UInt8]("\(connection).\(number)".utf8) }

    // MARK: What clients say

    /// A message of an application's: the number says what the rest must be.
    static func message(_ number: Int, size: Int) -> [UInt8] {
        let head = [UInt8]("m\(number).\(size).".utf8)
        return head + filler(number, max(0, size - head.count))
    }

    private static func filler(_ number: Int, _ size: Int) -> [UInt8] { [UInt8](repeating: UInt8(0x61 + number % 26), count: size) }

    static func meaning(_ kind: MessageKind, _ payload: [UInt8]) -> Got.What {
        if payload.first == 0x6D { return .message(kind, payload) }
        if payload.starts(with: beatStart), let number = numbers(payload).first { return .beat(number) }
        if payload.starts(with: replyStart) {
            let found = numbers(payload)
            if found.count == 2 { return .reply(connection: found[0], found[1]) }
        }
        return .foreign
    }

    private static let beatStart = ASCII.bytes("{\"t\":\"beat\"")
    private static let replyStart = ASCII.bytes("{\"t\":\"ok\"")

    /// The decimal numbers in a text, at most 3 of them.
    static func numbers(_ text: [UInt8]) -> [Int] {
        var found: [Int] = []
        var current: Int?
        for byte in text {
            if byte >= 0x30 && byte <= 0x39 {
                current = (current ?? 0) &* 10 &+ Int(byte - 0x30)
            } else if let number = current {
                found.append(number)
                current = nil
                if found.count == 3 { return found }
            }
        }
        if let current { found.append(current) }
        return found
    }

    // MARK: Rules

    /// `beat`, `within`: of the client's beats and their acks; `silence`: of the watch. Milliseconds; 0 leaves the rule out.
    static func rules(beat: Int, within: Int, silence: Int, answers: Bool) -> RuleSet? {
        var members: [String] = []
        if beat > 0 {
            let ack = #"{"on":{"json":{"/t":"ack"}},"equal":{"/q":"counter"},"within":"\#(within)ms"}"#
            members.append(#""beat":[{"every":"\#(beat)ms","send":{"body":"{\"t\":\"beat\",\"q\":${counter}}"},"ack":\#(ack)}]"#)
        }
        if silence > 0 { members.append(#""watch":[{"on":{"json":{"/t":"hb"}},"within":"\#(silence)ms","start":"first"}]"#) }
        if answers {
            let reply = #"{"t":"ok","c":${c},"n":${n}}"#.split(separator: "\"").joined(separator: #"\""#)
            members.append(
                #""reply":[{"on":{"json":{"/t":"hb"}},"take":{"c":"/c","n":"/n"},"send":{"body":"\#(reply)"}}]"#)
        }
        guard !members.isEmpty else { return nil }
        var compiler = RuleCompiler()
        do throws(RuleError) {
            try compiler.add([UInt8]("{\(members.joined(separator: ","))}".utf8), asPreset: false)
            return try compiler.finish()
        } catch {
            fatalError("the simulation's own rules do not compile: \(error)")
        }
    }
}
