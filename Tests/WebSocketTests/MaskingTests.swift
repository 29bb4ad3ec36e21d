import Testing
import WebSocket

struct MaskingTests {
    private static let keyBytes: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]

    /// RFC 6455 section 5.3: octet i of the payload is combined with octet i modulo 4 of the key.
    private func reference(_ payload: [UInt8], from start: Int = 0) -> [UInt8] {
        payload.enumerated().map { $1 ^ Self.keyBytes[(start + $0) % 4] }
    }

    private var key: MaskingKey {
        Self.keyBytes.withUnsafeBytes { MaskingKey(at: $0.baseAddress.unsafelyUnwrapped) }
    }

    @Test func readsAndStoresItsBytesInWireOrder() {
        #expect(key == MaskingKey(word: 0x3D21_FA37))
        var stored: [UInt8] = [0, 0, 0, 0, 0]
        stored.withUnsafeMutableBytes { key.store(at: $0.baseAddress.unsafelyUnwrapped + 1) }
        #expect(stored == [0] + Self.keyBytes)
    }

    @Test func masksTheExampleOfTheRFC() {
        var payload = bytes("Hello")
        payload.withUnsafeMutableBytes {
            key.apply(from: UnsafeRawPointer($0.baseAddress.unsafelyUnwrapped), to: $0.baseAddress.unsafelyUnwrapped, count: $0.count)
        }
        #expect(payload == [0x7F, 0x9F, 0x4D, 0x51, 0x58])
    }

    @Test(arguments: 0..<17)
    func masksEveryLengthAtEveryOffset(sourceOffset: Int) {
        var random = TestRandom(seed: UInt64(sourceOffset))
        let source = random.bytes(120)
        for targetOffset in 0..<9 {
            for count in 0...100 {
                var target = [UInt8](repeating: 0xEE, count: 120)
                source.withUnsafeBytes { from in
                    target.withUnsafeMutableBytes { to in
                        key.apply(
                            from: from.baseAddress.unsafelyUnwrapped + sourceOffset, to: to.baseAddress.unsafelyUnwrapped + targetOffset,
                            count: count)
                    }
                }
                let expected = reference([UInt8](source[sourceOffset..<sourceOffset + count]))
                let untouched = [UInt8](repeating: 0xEE, count: 120)
                #expect(target == untouched[..<targetOffset] + expected + untouched[(targetOffset + count)...])
            }
        }
    }

    @Test func masksInPlace() {
        var random = TestRandom(seed: 1)
        for count in 0...70 {
            let original = random.bytes(count)
            var payload = original
            payload.withUnsafeMutableBytes {
                guard let base = $0.baseAddress else { return }
                key.apply(from: UnsafeRawPointer(base), to: base, count: count)
            }
            #expect(payload == reference(original))
        }
    }

    @Test(arguments: [0, 1, 2, 3, 4, 5, 7, 125, 126, 127, 4096, 4097, 4098, 4099])
    func goesOnInsideAPayload(done: Int) {
        let advanced = key.advanced(by: done)
        var payload = [UInt8](0..<20)
        payload.withUnsafeMutableBytes {
            let base = $0.baseAddress.unsafelyUnwrapped
            advanced.apply(from: UnsafeRawPointer(base), to: base, count: $0.count)
        }
        #expect(payload == reference([UInt8](0..<20), from: done))
    }
}

struct MaskingKeysTests {
    @Test func givesEachFourBytesOfTheSourceOnce() {
        var drawn = 0
        var keys = MaskingKeys { buffer in
            for index in buffer.indices {
                buffer[index] = UInt8(truncatingIfNeeded: drawn)
                drawn += 1
            }
        }
        for number in 0..<100 {
            let first = UInt8(truncatingIfNeeded: number * 4)
            let expected = [first, first &+ 1, first &+ 2, first &+ 3].withUnsafeBytes { MaskingKey(at: $0.baseAddress.unsafelyUnwrapped) }
            let next = keys.next()
            #expect(next == expected)
        }
    }

    @Test func drawsNothingBeforeItIsAsked() {
        var calls = 0
        var keys = MaskingKeys { _ in calls += 1 }
        #expect(calls == 0)
        _ = keys.next()
        _ = keys.next()
        #expect(calls == 1)
    }
}
