/// An endpoint in the server role, made of the frame codec alone: it echoes messages, answers pings, and closes as RFC 6455 wants. And the
/// exchanges to try it with, named by the numbers that they have in the Autobahn test suite.
import Testing
import WebSocket

struct EchoServer: ~Copyable {
    private var reader = FrameReader(role: .server, limits: MessageAssembler.Limits(messageSizeMax: 1 << 24))
    private var batch = MessageBatch()
    private var wire = ByteQueue()
    /// A close frame has been sent: nothing follows it.
    private(set) var hasClosed = false

    mutating func receive(_ chunk: [UInt8]) {
        var received: [Received] = []
        read(chunk, with: &reader, &batch, into: &received)
        for item in received where !hasClosed {
            switch item {
            case .message(let kind, let payload): send(kind == .text ? .text : .binary, payload)
            case .control(.ping, let payload): send(.pong, payload)
            case .control(.close, let payload): close(payload)
            case .control: break
            case .failed(let error): send(.close, CloseFrame(code: error.closeCode, reason: bytes(error.phrase)).payload)
            }
        }
    }

    private mutating func close(_ payload: [UInt8]) {
        do throws(ProtocolError) {
            let code = try Self.closeCode(payload)
            send(.close, CloseFrame(code: code, reason: []).payload)
        } catch {
            send(.close, CloseFrame(code: error.closeCode, reason: []).payload)
        }
    }

    private static func closeCode(_ payload: [UInt8]) throws(ProtocolError) -> UInt16 {
        let raw = UnsafeMutableRawBufferPointer.allocate(byteCount: payload.count, alignment: 1)
        defer { raw.deallocate() }
        raw.copyBytes(from: payload)
        return try CloseFrame(payload: UnsafeRawBufferPointer(raw)).code
    }

    private mutating func send(_ opcode: Opcode, _ payload: [UInt8]) {
        payload.withUnsafeBytes { FrameWriter.append(opcode: opcode, isFinal: true, payload: $0, maskingKey: nil, to: &wire) }
        hasClosed = opcode == .close
    }

    /// What a client reads of all that was sent.
    var sent: [Received] { readFrames([[UInt8](wire.bytes)], role: .client, messageSizeMax: 1 << 24) }
}

/// What a client sends, and what has to come back before the close frame.
struct Exchange: CustomTestStringConvertible {
    enum Ending {
        /// The client closes with 1000, and the server answers with it.
        case client
        /// The last frame is a close frame that is answered with this code; 1005 stands for none.
        case closed(UInt16)
        /// The server fails the connection with this code.
        case failed(UInt16)
    }

    let number: String
    let frames: [[UInt8]]
    let replies: [Received]
    let ending: Ending

    static let key: [UInt8] = [0x9C, 0x01, 0xFF, 0x42]

    init(_ number: String, _ frames: [[UInt8]], _ replies: [Received] = [], _ ending: Ending = .client) {
        self.number = number
        self.frames = frames
        self.replies = replies
        self.ending = ending
    }

    var testDescription: String { number }

    /// Runs the exchange with frames cut in every way of interest: all at once, frame by frame, in chops of an odd size, and byte by byte.
    func run(chops: [Int] = [1, 997]) {
        let stream = sentFrames.flatMap { $0 }
        check([stream], "in one")
        check(sentFrames, "by frames")
        for size in chops where stream.count / size <= 20_000 {
            let starts = stride(from: 0, to: stream.count, by: size)
            check(starts.map { [UInt8](stream[$0..<min($0 + size, stream.count)]) }, "in chops of \(size)")
        }
    }

    private var sentFrames: [[UInt8]] {
        if case .client = ending { frames + [masked(8, [0x03, 0xE8])] } else { frames }
    }

    private func check(_ chunks: [[UInt8]], _ how: String) {
        var server = EchoServer()
        for chunk in chunks { server.receive(chunk) }
        let sent = server.sent
        let isRight = [Received](sent.dropLast()) == replies && closeCode(sent.last) == expectedCode
        if !isRight { Issue.record("case \(number) \(how): \(sent.map { "\($0)".prefix(80) })") }
    }

    private var expectedCode: UInt16 {
        switch ending {
        case .client: 1000
        case .closed(let code), .failed(let code): code
        }
    }

    private func closeCode(_ last: Received?) -> UInt16? {
        guard case .control(.close, let payload) = last else { return nil }
        return payload.count < 2 ? 1005 : UInt16(payload[0]) << 8 | UInt16(payload[1])
    }
}

/// A frame as a client sends it.
func masked(_ opcode: UInt8, _ payload: [UInt8] = [], isFinal: Bool = true, reserved: UInt8 = 0) -> [UInt8] {
    frame(opcode, payload, isFinal: isFinal, reserved: reserved << 4, key: Exchange.key)
}

/// A message in fragments of `size` bytes.
func fragmented(_ opcode: UInt8, _ payload: [UInt8], size: Int) -> [[UInt8]] {
    stride(from: 0, to: payload.count, by: size).map { start in
        let end = min(start + size, payload.count)
        return masked(start == 0 ? opcode : 0, [UInt8](payload[start..<end]), isFinal: end == payload.count)
    }
}
