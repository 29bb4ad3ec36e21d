import Testing
import WebSocket

@testable import Heartwire

struct PinListTests {
    private let pin = "9n0izTnSRF+W4W4JTq51avSXkWhQB8duS2bxVLfzXsY="
    private let other = "7HIpactkIAq2Y49orFOOQKurWxmmSFZhBCoQYcRhJ3Y="

    @Test func isEmptyWhenNothingIsSet() throws {
        let list = try #require(PinList([]))
        #expect(list.isEmpty)
        #expect(!list.contains(bytes(pin)))
    }

    @Test(arguments: ["sha256/", "SHA256/", "sha256//", " sha256/"]) func readsOne(prefix: String) throws {
        let list = try #require(PinList(bytes(prefix + pin)))
        #expect(!list.isEmpty)
        #expect(list.contains(bytes(pin)))
        #expect(!list.contains(bytes(other)))
    }

    @Test func readsAList() throws {
        let list = try #require(PinList(bytes("sha256/\(pin), sha256//\(other)")))
        #expect(list.contains(bytes(pin)))
        #expect(list.contains(bytes(other)))
    }

    /// The slash after the name is part of the Base64 when there are no more than its 44 characters.
    @Test func takesASlashThatBeginsTheBase64() throws {
        let slashed = "/" + pin.dropFirst()
        let list = try #require(PinList(bytes("sha256/\(slashed)")))
        #expect(list.contains(bytes(slashed)))
        #expect(try #require(PinList(bytes("sha256//\(slashed)"))).contains(bytes(slashed)))
    }

    @Test func refusesWhatIsNoPin() {
        let short = String(pin.dropFirst())
        let unpadded = String(pin.dropLast())
        // The last digit's lowest bits mean nothing and must be 0: no encoder writes this one.
        let notCanonical = pin.dropLast(2) + "Z="
        for text in [
            " ", ",", "sha256/", pin, "sha1/\(pin)", "sha256/\(short)", "sha256/\(unpadded)", "sha256/\(unpadded)A",
            "sha256/\(notCanonical)", "sha256/\(pin)=", "sha256/\(pin),", ",sha256/\(pin)", "sha256/\(pin) sha256/\(other)",
            "sha256/-_\(pin.dropFirst(2))", "sha256/ \(short)",
        ] {
            if PinList(bytes(text)) != nil { Issue.record("took \(text)") }
        }
    }
}
