import Heartbeat
import Testing
import WebSocket

struct PayloadBeatTests {
    @Test func beatsOnceAnInterval() {
        let opened = Instant(nanoseconds: 7)
        let configuration = PayloadBeat.Configuration(interval: .seconds(1), kind: .binary, payload: [1, 2])
        var beat = PayloadBeat(configuration, opened: opened)
        #expect(beat.configuration.payload == [1, 2])
        #expect(beat.deadline == opened + .seconds(1))
        #expect(beat.poll(opened) == false)
        #expect(beat.poll(opened + .seconds(1)) == true)
        #expect(beat.poll(opened + .seconds(1)) == false)
        #expect(beat.poll(opened + .seconds(5)) == true)
        #expect(beat.poll(opened + .seconds(5)) == false)
        #expect(beat.deadline == opened + .seconds(6))
    }
}
