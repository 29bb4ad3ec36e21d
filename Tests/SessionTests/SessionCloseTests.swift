/// The ways a connection ends: both sides may begin the close handshake, and either may fail to go through with it.
import Heartbeat
import Session
import Testing
import WebSocket

struct SessionCloseTests {
    private func open(_ change: (inout SessionConfiguration) -> Void = { _ in }) -> SessionHarness {
        let harness = SessionHarness(change)
        harness.connect()
        _ = harness.takeEvents()
        return harness
    }

    @Test func sendsItsQueueThenClosesThenWaitsForTheAnswer() throws {
        let harness = open()
        harness.isWritable = false
        harness.send([1])
        harness.send([2])
        harness.close(CloseFrame(code: 1001, reason: bytes("done")))
        #expect(harness.takeEvents() == ["state closing"])
        #expect(harness.send([3]) == .closed)
        harness.isWritable = true
        harness.settle()
        #expect(try harness.sentFrames().map { $0.opcode } == [.text, .text, .close])
        #expect(try harness.sentFrames().last?.payload == [0x03, 0xE9] + bytes("done"))
        harness.receive(.text, bytes("on its way"))
        #expect(harness.received == [bytes("on its way")])
        harness.receiveClose(1001)
        #expect(harness.state == .closing)
        harness.endTransport()
        #expect(harness.takeEvents() == ["closed 1001", "state disconnected"])
        #expect(harness.deadline == nil)
        #expect(!harness.isTransportOpen)
        #expect(try harness.sentFrames().count == 3)
    }

    @Test(arguments: [0, 1, 2]) func finishesTheAttemptForWhatIsQueued(progress: Int) throws {
        let script = try openingScript([#"{"expect": {"eq": "welcome"}}"#])
        let harness = SessionHarness { $0.opening = script }
        harness.start()
        harness.send(bytes("queued"))
        if progress > 0 { harness.openTransport() }
        if progress > 1 { harness.acceptHandshake() }
        harness.close(CloseFrame(code: 1001, reason: []))
        #expect(harness.state == .closing)
        if progress < 1 { harness.openTransport() }
        if progress < 2 { harness.acceptHandshake() }
        harness.receive(.text, bytes("welcome"))
        #expect(try harness.sentFrames().map { $0.opcode } == [.text, .close])
        harness.receiveClose(1001)
        harness.endTransport()
        let order = progress < 2 ? ["state closing", "opened 1"] : ["opened 1", "state closing"]
        #expect(harness.takeEvents() == ["state connecting"] + order + ["closed 1001", "state disconnected"])
    }

    /// Both have closed at once, and our close frame has not left.
    @Test func theServerWasFirstIfOurCloseFrameHasNotLeft() {
        let harness = open()
        harness.isWritable = false
        harness.close()
        _ = harness.outbox.nextTransmit()
        harness.receiveClose(1001)
        harness.endTransport()
        #expect(harness.takeEvents() == ["state closing", "closed 1001 by peer", "state disconnected"])
    }

    @Test func makesNoFurtherAttemptForIt() {
        let harness = SessionHarness()
        harness.start()
        harness.send(bytes("queued"))
        harness.close()
        harness.close(CloseFrame(code: 1001, reason: []))
        harness.endTransport(.connect)
        #expect(
            harness.takeEvents() == [
                "state connecting", "state closing", "attempt 1 failed (connect), the last", "cancelled 1 to 1", "state disconnected",
            ])
        #expect(harness.deadline == nil)
    }

    /// The script fails, or the server closes, a moment before the time to close runs out: that does not begin anew.
    @Test(arguments: [false, true]) func endsInTimeIfTheScriptDoesNotComeToItsEnd(isClosedByServer: Bool) throws {
        let script = try openingScript([#"{"expect": {"eq": "welcome"}, "timeout": "1900ms"}"#])
        let harness = SessionHarness {
            $0.opening = script
            $0.closeTimeout = .seconds(2)
        }
        harness.connect()
        harness.send(bytes("queued"))
        harness.close()
        harness.run(.milliseconds(1800))
        if isClosedByServer { harness.receiveClose(1000) }
        harness.run(.milliseconds(199))
        #expect(harness.state == .closing)
        harness.run(.milliseconds(1))
        #expect(harness.state == .disconnected)
        #expect(harness.takeEvents().count { $0.hasPrefix("closed") } == 1)
    }

    @Test(arguments: [false, true]) func waitsForItNoLongerThanForAClose(isOpening: Bool) throws {
        let script = try openingScript([#"{"expect": {"eq": "welcome"}}"#])
        let harness = SessionHarness {
            $0.opening = script
            $0.closeTimeout = .seconds(2)
        }
        harness.start()
        if isOpening { harness.connect() }
        harness.send(bytes("queued"))
        harness.close()
        harness.run(.milliseconds(1999))
        #expect(harness.state == .closing)
        harness.run(.milliseconds(1))
        #expect(harness.state == .disconnected)
        #expect(harness.metrics.messagesUnsent == 1)
    }

    @Test func cutsAPeerOffThatDoesNotAnswerTheClose() {
        let harness = open { $0.closeTimeout = .seconds(2) }
        harness.close()
        harness.advance(.milliseconds(1999))
        #expect(harness.state == .closing)
        harness.advance(.milliseconds(1))
        #expect(harness.takeEvents() == ["state closing", "closed 1006", "state disconnected"])
    }

    @Test func cutsAPeerOffThatAnswersButKeepsTheTransport() {
        let harness = open { $0.closeTimeout = .seconds(2) }
        harness.close()
        harness.advance(.seconds(1))
        harness.receiveClose(1000)
        harness.advance(.milliseconds(999))
        #expect(harness.state == .closing)
        harness.advance(.milliseconds(1))
        #expect(harness.takeEvents() == ["state closing", "closed 1000", "state disconnected"])
    }

    @Test func isDisconnectedWhenTheTransportBreaksDuringTheClose() {
        let harness = open()
        harness.close()
        harness.endTransport()
        #expect(harness.takeEvents() == ["state closing", "closed 1006", "state disconnected"])
    }

    @Test func tellsAPeersCloseThatCrossedOurs() throws {
        let harness = open()
        harness.isWritable = false
        harness.close()
        harness.receiveClose(1001)
        harness.isWritable = true
        harness.settle()
        #expect(try harness.sentFrames().map { $0.opcode } == [.close])
        harness.endTransport()
        #expect(harness.takeEvents() == ["state closing", "closed 1001 by peer", "state disconnected"])
    }

    /// Closing as asked is no failure, unless messages were cut off by it.
    @Test func saysWhenMessagesWereCutOff() {
        let endings: [(String, (SessionHarness) -> Void)] = [
            ("closed 1001 by peer (peer closed 1001)", { $0.receiveClose(1001) }),
            ("closed 1006 (lost)", { $0.endTransport() }),
            ("closed 1006 (lost)", { $0.runToDeadline() }),
        ]
        for (closed, ending) in endings {
            let harness = open()
            harness.isWritable = false
            harness.send([1])
            harness.close()
            ending(harness)
            harness.endTransport()
            #expect(harness.takeEvents() == ["state closing", closed, "cancelled 1 to 1", "state disconnected"])
        }
    }

    @Test(
        arguments: [
            (1000, true, "reconnecting"), (1001, true, "reconnecting"), (1005, true, "reconnecting"), (1011, true, "reconnecting"),
            (4000, true, "reconnecting"),
            (1002, true, "failed"), (1003, true, "failed"), (1007, true, "failed"), (1008, true, "failed"), (1010, true, "failed"),
            (1000, false, "disconnected"), (1001, false, "disconnected"), (1005, false, "disconnected"),
            (1011, false, "failed"), (4000, false, "failed"), (1008, false, "failed"),
        ] as [(UInt16, Bool, String)])
    func followsAPeersClose(code: UInt16, reconnects: Bool, final: String) throws {
        let harness = open { $0.reconnects = reconnects }
        harness.receiveClose(code, code == 1005 ? "" : "so long")
        // The code is echoed, without the reason.
        #expect(try harness.sentFrames() == [SentFrame(.close, CloseFrame(code: code, reason: []).payload)])
        #expect(harness.takeEvents() == [])
        harness.endTransport()
        let reason = final == "disconnected" ? "" : " (peer closed \(code))"
        #expect(harness.takeEvents() == ["closed \(code) by peer (peer closed \(code))", "state \(final)\(reason)"])
    }

    @Test func givesAPeerThatClosedTimeToEndTheTransport() {
        let harness = open { $0.closeTimeout = .seconds(2) }
        harness.receiveClose(1012)
        harness.advance(.milliseconds(1999))
        #expect(harness.takeEvents() == [])
        harness.advance(.milliseconds(1))
        #expect(harness.takeEvents().first == "closed 1012 by peer (peer closed 1012)")
    }

    @Test func aCloseAfterThePeersKeepsItFromReconnecting() {
        let harness = open()
        harness.receiveClose(1012)
        harness.close()
        harness.close()
        harness.endTransport()
        #expect(harness.takeEvents() == ["state closing", "closed 1012 by peer", "state disconnected"])
    }

    @Test func closesAtOnceBeforeItIsOpen() {
        let waiting = SessionHarness()
        waiting.start()
        waiting.endTransport(.connect)
        for harness in [SessionHarness(), SessionHarness(), SessionHarness(), waiting].enumerated() {
            if harness.offset == 1 || harness.offset == 2 { harness.element.start() }
            if harness.offset == 2 { harness.element.openTransport() }
            _ = harness.element.takeEvents()
            harness.element.close()
            #expect(harness.element.state == .disconnected)
            #expect(harness.element.takeEvents() == (harness.offset == 0 ? [] : ["state disconnected"]))
            #expect(!harness.element.isTransportOpen)
            #expect(harness.element.deadline == nil)
            harness.element.start()
            #expect(harness.element.transportsOpened == (harness.offset == 0 ? 0 : 1))
        }
    }

    @Test func saysGoodbyeWhenItIsAbandoned() throws {
        let harness = open()
        harness.abandon()
        #expect(try harness.sentFrames() == [SentFrame(.close, [0x03, 0xE9])])
        #expect(harness.takeEvents() == [])
        #expect(!harness.isTransportOpen)
        #expect(harness.send([1]) == .closed)
    }

    @Test func beatsNoMoreOnceItCloses() throws {
        let harness = open {
            $0.heartbeat.ping = .init(interval: .milliseconds(100), timeout: .milliseconds(100), missedMax: 1)
            $0.setBeat(every: .milliseconds(100), .text, bytes("beat"))
            $0.closeTimeout = .seconds(60)
        }
        harness.close()
        harness.run(.seconds(10))
        #expect(try harness.sentFrames().map { $0.opcode } == [.close])
        #expect(harness.state == .closing)
        harness.receiveClose(1000)
        harness.run(.seconds(10))
        #expect(try harness.sentFrames().count == 1)
    }
}
