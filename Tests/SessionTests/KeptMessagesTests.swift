import Session
import Testing
import WebSocket

struct KeptMessagesTests {
    private func keep(_ kept: inout KeptMessages, _ key: String, _ payload: String, _ kind: MessageKind = .text) -> KeptMessages.Admission {
        bytes(key).withUnsafeBytes { key in bytes(payload).withUnsafeBytes { kept.keep(key, kind, $0) } }
    }

    private func remove(_ kept: inout KeptMessages, _ key: String) { bytes(key).withUnsafeBytes { kept.remove($0) } }

    private func contents(_ kept: KeptMessages) -> [String] {
        var result: [String] = []
        kept.forEach { kind, payload in
            result.append((kind == .binary ? "binary " : "") + String(decoding: payload, as: UTF8.self))
        }
        return result
    }

    @Test func keepsTheOrderInWhichKeysCame() {
        var kept = KeptMessages(messagesMax: 10, bytesMax: 100)
        #expect(keep(&kept, "b", "one") == .kept)
        #expect(keep(&kept, "a", "two", .binary) == .kept)
        #expect(keep(&kept, "", "") == .kept)
        #expect(contents(kept) == ["one", "binary two", ""])
        #expect(keep(&kept, "b", "uno", .binary) == .kept)
        #expect(contents(kept) == ["binary uno", "binary two", ""])
        remove(&kept, "b")
        remove(&kept, "nobody")
        #expect(contents(kept) == ["binary two", ""])
        #expect(keep(&kept, "b", "one") == .kept)
        #expect(contents(kept) == ["binary two", "", "one"])
        #expect((kept.count, kept.byteCount) == (3, 6))
    }

    @Test func messagesAndBytesAreLimited() {
        var kept = KeptMessages(messagesMax: 2, bytesMax: 10)
        #expect(keep(&kept, "a", "12345678901") == .tooLarge)
        #expect(keep(&kept, "a", "123456") == .kept)
        #expect(keep(&kept, "b", "12345") == .full)
        #expect(keep(&kept, "b", "1234") == .kept)
        #expect(keep(&kept, "c", "") == .full)
        // A replacement needs no more room than it adds.
        #expect(keep(&kept, "b", "12345") == .full)
        #expect(contents(kept) == ["123456", "1234"])
        #expect(keep(&kept, "a", "1234567890") == .full)
        remove(&kept, "b")
        #expect(keep(&kept, "a", "1234567890") == .kept)
        #expect((kept.count, kept.byteCount) == (1, 10))
        kept.removeAll()
        #expect((kept.count, kept.byteCount) == (0, 0))
        #expect(contents(kept) == [])
        #expect(keep(&kept, "a", "1") == .kept)
        #expect(contents(kept) == ["1"])
    }

    @Test func isWhatAListOfPairsIs() {
        var random = Random(seed: 7)
        var kept = KeptMessages(messagesMax: 200, bytesMax: 1 << 20)
        var model: [(key: String, payload: String)] = []
        for step in 0..<20_000 {
            let key = "key \(random.next(through: 300))"
            let place = model.firstIndex { $0.key == key }
            if random.next(through: 99) < (step / 4000 % 2 == 0 ? 30 : 70) {
                remove(&kept, key)
                if let place { model.remove(at: place) }
            } else {
                let isFull = place == nil && model.count == 200
                #expect(keep(&kept, key, "\(step)") == (isFull ? .full : .kept))
                if let place { model[place].payload = "\(step)" } else if !isFull { model.append((key, "\(step)")) }
            }
            #expect(kept.count == model.count)
            if step % 100 == 0 { #expect(contents(kept) == model.map { $0.payload }) }
        }
        #expect(contents(kept) == model.map { $0.payload })
        #expect(kept.byteCount == model.reduce(0) { $0 + $1.payload.utf8.count })
    }
}
