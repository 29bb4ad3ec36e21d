/// permessage-deflate through zlib: the examples of RFC 7692 section 7.2.3, limits, hostile input, and both directions together.
import Heartbeat
import Session
import Testing
import WebSocket

@testable import Heartwire

/// An unmasked frame, written from the RFC and not with the code under test.
private func frame(_ first: UInt8, _ payload: [UInt8]) -> [UInt8] {
    if payload.count < 126 { return [first, UInt8(payload.count)] + payload }
    if payload.count <= 0xFFFF { return [first, 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)] + payload }
    return [first, 127] + (0..<8).map { UInt8(truncatingIfNeeded: payload.count >> (56 - 8 * $0)) } + payload
}

private let textCompressed: UInt8 = 0xC1
private let binaryCompressed: UInt8 = 0xC2

private struct Inflated {
    var messages: [[UInt8]] = []
    var parts: [MessagePart] = []
    var error: ProtocolError?
}

/// A reader that inflates, as a connection has it.
private final class InflatingReader {
    private var reader: FrameReader
    private var batch = MessageBatch()
    private(set) var result = Inflated()

    init(keepsContext: Bool = true, windowBits: Int = 15, messageSizeMax: Int = 1 << 20, partSize: Int? = nil, frameSizeMax: Int? = nil)
        throws
    {
        let inflater = try #require(zlib().inflater(windowBits: windowBits))
        reader = FrameReader(
            role: .client, limits: .init(messageSizeMax: messageSizeMax, frameSizeMax: frameSizeMax, partSize: partSize),
            decompression: Decompression(inflater: inflater, keepsContext: keepsContext))
    }

    func read(_ chunk: [UInt8]) {
        var chunk = chunk
        chunk.withUnsafeMutableBytes { input in
            var consumed = 0
            while true {
                let outcome = reader.read(input, consumed: &consumed, into: &batch)
                // Messages wait in the batch across control frames, as they do in a connection.
                if case .control = outcome { continue }
                for message in batch.messages {
                    result.messages.append([UInt8](message.payload))
                    result.parts.append(message.part)
                }
                batch.removeAll()
                switch outcome {
                case .needsInput: return
                case .deliver, .control: continue
                case .failed(let error):
                    result.error = error
                    return
                }
            }
        }
    }

    static func read(
        _ chunks: [[UInt8]], keepsContext: Bool = true, messageSizeMax: Int = 1 << 20, partSize: Int? = nil
    ) throws -> Inflated {
        let reader = try InflatingReader(keepsContext: keepsContext, messageSizeMax: messageSizeMax, partSize: partSize)
        for chunk in chunks { reader.read(chunk) }
        return reader.result
    }
}

private func zlib(memoryLevel: Int = 8) throws -> ZlibProvider {
    ZlibProvider(try #require(Zlib.shared), memoryLevel: memoryLevel)
}

private func deflated(_ payload: [UInt8], with deflater: any Deflater) -> [UInt8] {
    var output = ByteQueue()
    _ = payload.withUnsafeBytes { deflater.deflate($0, into: &output) }
    return [UInt8](output.bytes.dropLast(4))
}

private func deflater(windowBits: Int = 15, memoryLevel: Int = 8) throws -> any Deflater {
    try #require(zlib(memoryLevel: memoryLevel).deflater(windowBits: windowBits))
}

struct CompressionTests {
    /// RFC 7692 section 7.2.3: one block, two fragments, shared context, no compression, a final block, two blocks, an empty message.
    private static let examples: [(input: [UInt8], messages: [String])] = [
        ([0xC1, 0x07, 0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00], ["Hello"]),
        ([0x41, 0x03, 0xF2, 0x48, 0xCD, 0x80, 0x04, 0xC9, 0xC9, 0x07, 0x00], ["Hello"]),
        ([0xC1, 0x07, 0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0xC1, 0x05, 0xF2, 0x00, 0x11, 0x00, 0x00], ["Hello", "Hello"]),
        ([0xC1, 0x0B, 0x00, 0x05, 0x00, 0xFA, 0xFF, 0x48, 0x65, 0x6C, 0x6C, 0x6F, 0x00], ["Hello"]),
        ([0xC1, 0x08, 0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00], ["Hello"]),
        ([0xC1, 0x0D, 0xF2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xCA, 0xC9, 0xC9, 0x07, 0x00], ["Hello"]),
        ([0xC1, 0x01, 0x00], [""]),
        ([0xC1, 0x00], [""]),
        // A final block does not end what later messages may refer to.
        ([0xC1, 0x08, 0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00, 0xC1, 0x05, 0xF2, 0x00, 0x11, 0x00, 0x00], ["Hello", "Hello"]),
        // Uncompressed messages and control frames go between.
        (
            [0x81, 0x01, 0x61, 0x41, 0x03, 0xF2, 0x48, 0xCD, 0x89, 0x00, 0x80, 0x04, 0xC9, 0xC9, 0x07, 0x00, 0x81, 0x01, 0x62],
            ["a", "Hello", "b"]
        ),
    ]

    @Test func inflatesTheExamplesOfTheRFC() throws {
        for (input, messages) in Self.examples {
            let chunkings = (0...input.count).map { [[UInt8](input[..<$0]), [UInt8](input[$0...])] } + [input.map { [$0] }]
            for chunks in chunkings {
                let result = try InflatingReader.read(chunks)
                #expect(result.messages == messages.map(bytes))
                #expect(result.error == nil)
            }
        }
    }

    @Test func forgetsTheContextIfSoAgreed() throws {
        let result = try InflatingReader.read([Self.examples[2].input], keepsContext: false)
        #expect(result.messages == [bytes("Hello")])
        #expect(result.error == .compressedDataInvalid)
    }

    @Test func refusesTheReservedBitWhereItMayNotStand() throws {
        for (input, error) in [
            ([0xC0, 0x00], ProtocolError.reservedBits), ([0xC9, 0x00], .reservedBits), ([0xC8, 0x00], .reservedBits),
            ([0x41, 0x01, 0x00, 0xC0, 0x00], .reservedBits), ([0xA1, 0x00], .reservedBits), ([0xD1, 0x00], .reservedBits),
        ] as [([UInt8], ProtocolError)] {
            #expect(try InflatingReader.read([input]).error == error)
        }
    }

    @Test(arguments: [[0xFF], [0x06], [0x00, 0x05, 0x00, 0x00, 0x00]] as [[UInt8]])
    func refusesDataThatIsNotDeflate(payload: [UInt8]) throws {
        let input = frame(binaryCompressed, payload)
        for chunks in [[input], input.map { [$0] }] {
            let result = try InflatingReader.read(chunks)
            #expect(result.error == .compressedDataInvalid)
            #expect(result.messages == [])
        }
    }

    @Test func refusesTextThatIsNotUTF8OnceInflated() throws {
        let input = frame(textCompressed, deflated(bytes("abc") + [0xC3] + bytes("def"), with: try deflater()))
        #expect(try InflatingReader.read([input]).error == .textNotUTF8)
        #expect(try InflatingReader.read(input.map { [$0] }).error == .textNotUTF8)
        let cut = frame(textCompressed, deflated([0xE2, 0x82], with: try deflater()))
        #expect(try InflatingReader.read([cut]).error == .textNotUTF8)
    }

    /// A thousand times its size once inflated: the limit is on what comes out.
    @Test func stopsABombAtTheLimit() throws {
        let bomb = frame(binaryCompressed, deflated([UInt8](repeating: 0, count: 4 << 20), with: try deflater()))
        #expect(bomb.count < 6000)
        for chunks in [[bomb], bomb.map { [$0] }] {
            let result = try InflatingReader.read(chunks, messageSizeMax: 1 << 20)
            #expect(result.error == .messageTooLarge(limit: 1 << 20))
            #expect(result.messages == [])
        }
        #expect(try InflatingReader.read([bomb], messageSizeMax: 4 << 20).messages.first?.count == 4 << 20)
        #expect(try InflatingReader.read([bomb], messageSizeMax: (4 << 20) - 1).error == .messageTooLarge(limit: (4 << 20) - 1))
    }

    /// Empty stored blocks: input without output has its limit too.
    @Test func endsAMessageThatInflatesToNothingForEver() throws {
        let reader = try InflatingReader(messageSizeMax: 1000)
        reader.read([0x42, 0x00])
        let blocks = frame(0x00, [UInt8]((0..<20).flatMap { _ in [0x00, 0x00, 0x00, 0xFF, 0xFF] as [UInt8] }))
        for _ in 0..<100 where reader.result.error == nil { reader.read(blocks) }
        #expect(reader.result.error == .messageTooLarge(limit: 1000))
    }

    @Test func limitsFramesAsWellAsMessages() throws {
        let reader = try InflatingReader(messageSizeMax: 1000, frameSizeMax: 100)
        reader.read(frame(0x82, [UInt8](repeating: 1, count: 100)))
        #expect(reader.result.messages.count == 1)
        reader.read(frame(0x82, [UInt8](repeating: 1, count: 101)))
        #expect(reader.result.error == .frameTooLarge(limit: 100))
    }

    @Test func goesRoundInEveryWindowAndMemoryLevel() throws {
        var random: UInt64 = 7
        let messages = (0..<40).map { index -> [UInt8] in
            (0..<(index * 97)).map { _ in
                random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return UInt8(truncatingIfNeeded: random >> 60) &+ 0x61
            }
        }
        for windowBits in 9...15 {
            for memoryLevel in [1, 8, 9] {
                let deflater = try deflater(windowBits: windowBits, memoryLevel: memoryLevel)
                let reader = try InflatingReader(windowBits: windowBits)
                for message in messages { reader.read(frame(textCompressed, deflated(message, with: deflater))) }
                #expect(reader.result.messages == messages)
                #expect(reader.result.error == nil)
            }
        }
    }

    /// Many small messages in one read stand in one batch, each where it was inflated to.
    @Test func keepsMessagesOfABatchApart() throws {
        let deflater = try deflater()
        let messages = (0..<600).map { bytes("message number \($0), with something to compress, compress, compress") }
        let input = messages.flatMap { frame(textCompressed, deflated($0, with: deflater)) }
        let pinged = messages.prefix(3).flatMap { frame(0x81, $0) + [0x89, 0x00] }
        for chunks in [[input], [[UInt8](input[..<1000]), [UInt8](input[1000...])]] {
            #expect(try InflatingReader.read(chunks).messages == messages)
        }
        #expect(try InflatingReader.read([pinged]).messages == [[UInt8]](messages.prefix(3)))
    }
}

struct MessagePartTests {
    private static let text = bytes(String(repeating: "grün ✓ 𝄞 ", count: 1000))

    private func check(_ chunks: [[UInt8]], partSize: Int = 1024) throws {
        let result = try InflatingReader.read(chunks, partSize: partSize)
        #expect(result.error == nil)
        #expect(result.messages.flatMap { $0 } == Self.text)
        #expect(result.messages.allSatisfy { $0.count <= partSize && String(validating: $0, as: UTF8.self) != nil })
        #expect(result.parts.first == .first)
        #expect(result.parts.last == .last)
        #expect(result.parts.dropFirst().dropLast().allSatisfy { $0 == .middle })
        #expect(result.parts.count >= Self.text.count / partSize)
    }

    @Test func deliversLargeMessagesInParts() throws {
        let whole = frame(0x81, Self.text)
        let half = Self.text.count / 2 + 1
        let fragments = frame(0x01, [UInt8](Self.text[..<half])) + [0x89, 0x00] + frame(0x80, [UInt8](Self.text[half...]))
        let compressed = frame(textCompressed, deflated(Self.text, with: try deflater()))
        #expect(compressed.count < Self.text.count / 20)
        for input in [whole, fragments, compressed] {
            try check([input])
            try check(input.map { [$0] })
            try check([[UInt8](input.prefix(50)), [UInt8](input.dropFirst(50))])
            try check([input], partSize: 1027)
        }
    }

    @Test func deliversSmallMessagesWhole() throws {
        let small = [UInt8](Self.text[..<1024].prefix(1001))
        let binary = frame(0x82, small) + frame(0x82, [UInt8](repeating: 7, count: 1024))
        for chunks in [[binary], binary.map { [$0] }] {
            let result = try InflatingReader.read(chunks, partSize: 1024)
            #expect(result.parts == [.whole, .whole])
        }
    }

    @Test func countsAllPartsAgainstTheLimit() throws {
        let input = frame(0x02, [UInt8](repeating: 1, count: 3000)) + frame(0x80, [UInt8](repeating: 1, count: 1001))
        let result = try InflatingReader.read([input], messageSizeMax: 4000, partSize: 1024)
        #expect(result.error == .messageTooLarge(limit: 4000))
        let bomb = frame(binaryCompressed, deflated([UInt8](repeating: 0, count: 1 << 20), with: try deflater()))
        #expect(try InflatingReader.read([bomb], messageSizeMax: 100_000, partSize: 1024).error == .messageTooLarge(limit: 100_000))
    }
}
