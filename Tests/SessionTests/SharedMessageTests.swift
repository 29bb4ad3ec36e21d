import Heartbeat
import Session
import Testing
import WebSocket

/// Messages that are compressed once and go into many queues.
struct SharedMessageTests {
    /// Stands for deflate: it repeats what it has seen before by its distance, so that a window that differs from the reader's shows.
    final class Echoes: Deflater {
        var seen: [UInt8] = []
        var resets = 0

        func deflate(_ input: UnsafeRawBufferPointer, into output: inout ByteQueue) -> Bool {
            output.append(Array("<\(seen.count):".utf8) + [UInt8](input) + Array(">".utf8) + Compression.tail)
            seen += [UInt8](input)
            return true
        }

        func reset() {
            resets += 1
            seen = []
        }
    }

    private func outbox(_ limits: Outbox.Limits = Outbox.Limits(messagesMax: 3, bytesMax: 1000, fragmentSize: 100)) -> Outbox {
        Outbox(role: .server, limits: limits) { _ in }
    }

    private func message(_ text: String, _ deflater: Echoes? = nil) -> SharedMessage {
        Array(text.utf8).withUnsafeBytes { SharedMessage(.text, $0, deflater) }
    }

    private func enqueue(_ text: String, _ outbox: Outbox) {
        _ = Array(text.utf8).withUnsafeBytes { outbox.enqueue(.text, $0) }
    }

    /// The frames of what leaves: their first bytes, and their payloads.
    private func takeFrames(_ outbox: Outbox) -> [String] {
        var bytes: [UInt8] = []
        while true {
            let next = [UInt8](outbox.nextTransmit())
            if next.isEmpty { break }
            bytes += next
            outbox.transmitted(next.count, Instant(nanoseconds: 0))
        }
        var frames: [String] = []
        var rest = bytes[...]
        while let first = rest.popFirst(), let size = rest.popFirst() {
            frames.append(String(first, radix: 16) + " " + String(decoding: rest.prefix(Int(size)), as: UTF8.self))
            rest = rest.dropFirst(Int(size))
        }
        return frames
    }

    @Test func goesInTheOrderOfTheQueue() {
        let outbox = outbox()
        outbox.open()
        outbox.openQueue()
        enqueue("one", outbox)
        #expect(outbox.enqueue(message("two")) == .accepted(id: 2))
        enqueue("three", outbox)
        #expect(outbox.queuedBytes == 11)
        #expect(takeFrames(outbox) == ["81 one", "81 two", "81 three"])
        #expect(outbox.queuedMessages == 0 && outbox.queuedBytes == 0)
        #expect(outbox.outcome(of: 2) == .sent)
    }

    @Test func isFragmentedLikeAnyOther() {
        let outbox = outbox(Outbox.Limits(messagesMax: 3, bytesMax: 1000, fragmentSize: 4))
        outbox.open()
        outbox.openQueue()
        #expect(outbox.enqueue(message("abcdefghij")) == .accepted(id: 1))
        #expect(takeFrames(outbox) == ["1 abcd", "0 efgh", "80 ij"])
    }

    @Test func isOfThePresentConnectionAlone() {
        let outbox = outbox()
        #expect(outbox.enqueue(message("early")) == .notConnected)
        outbox.open()
        outbox.openQueue()
        #expect(outbox.enqueue(message("now")) == .accepted(id: 1))
        outbox.connectionEnded()
        #expect(outbox.outcome(of: 1) == .dropped)
        outbox.open()
        outbox.openQueue()
        #expect(takeFrames(outbox) == [])
        outbox.seal()
        #expect(outbox.enqueue(message("late")) == .closed)
    }

    @Test(arguments: [MessageQueue.Overflow.reject, .dropOldest]) func followsThePolicyOfTheQueue(overflow: MessageQueue.Overflow) {
        let outbox = outbox(Outbox.Limits(messagesMax: 2, bytesMax: 1000, fragmentSize: 100, overflow: overflow))
        outbox.open()
        outbox.openQueue()
        for text in ["a", "b", "c"] {
            let isRefused = overflow == .reject && text == "c"
            #expect((outbox.enqueue(message(text)) == .full) == isRefused)
        }
        #expect(takeFrames(outbox) == (overflow == .reject ? ["81 a", "81 b"] : ["81 b", "81 c"]))
    }

    /// The reader's window has the shared message too, which our deflater has not seen: it begins anew, but once.
    @Test func leavesNoHoleInTheWindow() {
        let own = Echoes()
        let outbox = outbox(Outbox.Limits(messagesMax: 9, bytesMax: 1000, fragmentSize: 100))
        outbox.open(Compression(deflater: own, keepsContext: true, threshold: 1))
        outbox.openQueue()
        enqueue("first", outbox)
        enqueue("second", outbox)
        let shared = Echoes()
        shared.seen = Array("of an earlier message".utf8)
        shared.reset()
        #expect(outbox.enqueue(message("shared", shared)) == .accepted(id: 3))
        #expect(shared.seen.isEmpty)
        enqueue("third", outbox)
        enqueue("fourth", outbox)
        #expect(takeFrames(outbox) == ["c1 <0:first>", "c1 <5:second>", "c1 <0:shared>", "c1 <0:third>", "c1 <5:fourth>"])
        #expect(own.resets == 1)
    }

    /// A connection with a smaller window compresses by itself.
    @Test(arguments: [15, 12]) func isTakenCompressedByThoseWithTheWholeWindow(windowBits: Int) {
        let own = Echoes()
        let outbox = outbox()
        outbox.open(Compression(deflater: own, windowBits: windowBits, keepsContext: true, threshold: 1))
        outbox.openQueue()
        _ = outbox.enqueue(message("shared", Echoes()))
        #expect(takeFrames(outbox) == ["c1 <0:shared>"])
        #expect(own.seen.isEmpty == (windowBits == 15))
    }

    @Test func isPlainWithoutCompression() {
        let outbox = outbox()
        outbox.open()
        outbox.openQueue()
        _ = outbox.enqueue(message("shared", Echoes()))
        #expect(takeFrames(outbox) == ["81 shared"])
    }
}
