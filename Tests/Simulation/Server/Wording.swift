import Heartbeat
import Session
import WebSocket

/// The little language of clients and servers here, and the heartbeat rules and opening scripts for it.
enum Wording {
    // MARK: What servers say

    /// `key` is the same on all connections that the item is sent by.
    static func data(connection: Int, _ number: Int, key: Int, size: Int) -> [UInt8] {
        let head = [UInt8]("{\"t\":\"d\",\"c\":\(connection),\"n\":\(number),\"k\":\(key),\"p\":\"".utf8)
        return head + filler(number, max(0, size - head.count - 2)) + ASCII.bytes("\"}")
    }

    /// The key of an item; nil for another message.
    static func key(_ payload: [UInt8]) -> Int? {
        guard payload.starts(with: dataStart) else { return nil }
        let found = numbers(payload)
        return found.count == 3 ? found[2] : nil
    }

    static var duplicateKey: DuplicateKey? { try? DuplicateKey(ASCII.bytes("/k")) }

    private static let dataStart = ASCII.bytes("{\"t\":\"d\"")

    static func request(connection: Int, _ number: Int) -> [UInt8] { [UInt8]("{\"t\":\"hb\",\"c\":\(connection),\"n\":\(number)}".utf8) }
    static func ack(_ number: Int) -> [UInt8] { [UInt8]("{\"t\":\"ack\",\"q\":\(number)}".utf8) }
    static func ping(connection: Int, _ number: Int) -> [UInt8] { [UInt8]("\(connection).\(number)".utf8) }
    static func hello(connection: Int) -> [UInt8] { [UInt8]("{\"t\":\"hello\",\"s\":\(connection)}".utf8) }
    static let welcome = ASCII.bytes("{\"t\":\"welcome\"}")
    static let refusal = ASCII.bytes("{\"t\":\"no\"}")
    static let advice = ASCII.bytes("{\"t\":\"bye\"}")

    // MARK: What clients say

    /// A message of an application's: the number says what the rest must be.
    static func message(_ number: Int, size: Int) -> [UInt8] {
        let head = [UInt8]("m\(number).\(size).".utf8)
        return head + filler(number, max(0, size - head.count))
    }

    static func kept(_ key: Int, version: Int) -> [UInt8] { [UInt8]("k\(key).\(version)".utf8) }

    private static func filler(_ number: Int, _ size: Int) -> [UInt8] { [UInt8](repeating: UInt8(0x61 + number % 26), count: size) }

    static func meaning(_ kind: MessageKind, _ payload: [UInt8]) -> Got.What {
        if payload.first == 0x6D { return .message(kind, payload) }
        let found = numbers(payload)
        if payload.first == 0x6B, found.count == 2 { return .kept(key: found[0], version: found[1]) }
        if payload.starts(with: beatStart), found.count == 1 { return .beat(found[0]) }
        if payload.starts(with: replyStart), found.count == 2 { return .reply(connection: found[0], found[1]) }
        if payload.starts(with: loginStart) { return .login(found.first) }
        return .foreign
    }

    private static let beatStart = ASCII.bytes("{\"t\":\"beat\"")
    private static let replyStart = ASCII.bytes("{\"t\":\"ok\"")
    private static let loginStart = ASCII.bytes("{\"t\":\"login\"")

    /// The first three decimal numbers in a text.
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

    // MARK: Rules and scripts

    /// `beat`, `within`: of the client's beats and their acks; `silence`: of the watch. Milliseconds; 0 leaves the rule out.
    static func rules(beat: Int, within: Int, silence: Int, answers: Bool) -> RuleSet? {
        var members = [#""reconnect":{"on":[{"json":{"/t":"bye"}}]}"#]
        if beat > 0 {
            let ack = #"{"on":{"json":{"/t":"ack"}},"equal":{"/q":"counter"},"within":"\#(within)ms"}"#
            members.append(#""beat":[{"every":"\#(beat)ms","send":{"body":"{\"t\":\"beat\",\"q\":${counter}}"},"ack":\#(ack)}]"#)
        }
        if silence > 0 { members.append(#""watch":[{"on":{"json":{"/t":"hb"}},"within":"\#(silence)ms","start":"first"}]"#) }
        if answers {
            let send = #"{"body":"{\"t\":\"ok\",\"c\":${c},\"n\":${n}}"}"#
            members.append(#""reply":[{"on":{"json":{"/t":"hb"}},"take":{"c":"/c","n":"/n"},"send":\#(send)}]"#)
        }
        var compiler = RuleCompiler()
        do throws(RuleError) {
            try compiler.add([UInt8]("{\(members.joined(separator: ","))}".utf8), asPreset: false)
            return try compiler.finish()
        } catch {
            fatalError("the simulation's own rules do not compile: \(error)")
        }
    }

    static func script(_ script: ClientPlan.Script) -> OpeningScript? {
        switch script {
        case .none: nil
        case .sends: steps([#"{"send":{"body":"{\"t\":\"login\"}"}}"#])
        case .dialogue:
            steps([
                #"{"expect":{"json":{"/t":"hello"}},"learn":{"s":"/s"}}"#,
                #"{"send":{"body":"{\"t\":\"login\",\"s\":${last.s}}"}}"#,
                #"{"expect":{"json":{"/t":"welcome"}},"fail":{"json":{"/t":"no"}}}"#,
            ])
        }
    }

    private static func steps(_ texts: [String]) -> OpeningScript? {
        var script: OpeningScript?
        do throws(RuleError) {
            for text in texts { script = try OpeningScript.adding([UInt8](text.utf8), to: script) }
        } catch {
            fatalError("the simulation's own script does not compile: \(error)")
        }
        return script
    }
}
