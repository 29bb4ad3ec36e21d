import Heartbeat
import Session
import WebSocket

/// The program that uses a client: it sends, keeps, cancels, rotates, closes and takes its messages as the dice will.
final class Application {
    enum InboxWish {
        case none
        case pause
        case close
    }

    private unowned(unsafe) let client: Client
    private let dice: Dice
    private var plan: ClientPlan { client.plan }
    private var world: World { client.world }
    private var driver: Driver { client.driver }

    private var messages = 0
    private var versions = 0
    private var ranks = 0
    private var tokens = 0
    private var waitingInInbox = 0
    private var isOnBreak = false
    private var unfinished: [UnfinishedMessage] = []

    init(_ client: Client, _ dice: Dice) {
        self.client = client
        self.dice = dice
    }

    func begin() {
        for _ in 0..<plan.keysAtOnce { keep() }
        again(plan.sendsEvery) { $0.sendSome() }
        again(plan.keepsEvery) { $0.changeKept() }
        again(plan.rotatesEvery) { $0.rotate() }
        again(plan.takesBreaks.map { $0 * 2 }) { $0.takeBreak() }
        if let delay = plan.closesAfter { later(delay) { $0.close() } }
        if let delay = plan.releasesAfter { later(delay) { $0.release() } }
    }

    /// What was begun is brought to its end.
    func calm() {
        for message in unfinished { later(.zero) { $0.finish(message) } }
        later(.zero) { $0.endBreak() }
    }

    /// What threads of the process do, when they can.
    private func later(_ delay: Interval, _ act: @escaping (Application) -> Void) {
        world.timeline.after(delay) { [weak self] in
            self?.world.machine.run { [weak self] in
                guard let self, client.driver != nil, world.violation == nil else { return }
                act(self)
            }
        }
    }

    private func again(_ mean: Interval?, _ act: @escaping (Application) -> Void) {
        guard let mean else { return }
        later(dice.waiting(mean)) {
            guard !$0.world.isCalm else { return }
            act($0)
            $0.again(mean, act)
        }
    }

    // MARK: Sending

    private func sendSome() {
        for _ in 0..<(dice.oneIn(10) ? dice.between(2, 30) : plan.burst) {
            if plan.sendsParts && dice.oneIn(5) { sendInParts() } else { send() }
        }
        if dice.oneIn(8) { cancel() }
    }

    private func options() -> SendOptions {
        var options = SendOptions()
        options.isNow = dice.percent(plan.nowShare)
        options.isReported = dice.oneIn(3)
        if !options.isNow, let ttl = plan.timeToLive, dice.oneIn(2) { options.expiry = world.machine.clock + ttl }
        return options
    }

    private func send() {
        messages += 1
        let size = dice.between(0, plan.messageSizeMax)
        let kind: MessageKind = dice.oneIn(3) ? .binary : .text
        let options = options()
        let epoch = client.active?.epoch ?? 0
        let payload = Wording.message(messages, size: size)
        switch driver.send(kind, payload, options) {
        case .accepted(let id): accepted(messages, id, size, kind, options, epoch, isUnfinished: false)
        case let refusal: client.see(.refused(refusal, size: payload.count, isNow: options.isNow))
        }
    }

    @discardableResult
    private func accepted(
        _ number: Int, _ id: UInt64, _ size: Int, _ kind: MessageKind, _ options: SendOptions, _ epoch: UInt64, isUnfinished: Bool
    ) -> Outgoing {
        let message = Outgoing(
            number: number, id: id, size: size, kind: kind, options, acceptedAt: world.machine.clock, epoch: epoch,
            isUnfinished: isUnfinished)
        client.outgoing[number] = message
        client.see(.accepted(message))
        return message
    }

    private func cancel() {
        guard let message = client.outgoing[dice.between(max(1, messages - 20), max(1, messages))] else { return }
        client.see(.cancelled(message, driver.cancel(message.id)))
    }

    // MARK: Parts

    /// A message of which some parts are still to be handed over.
    private final class UnfinishedMessage {
        let message: Outgoing
        var rest: ArraySlice<UInt8>

        init(_ message: Outgoing, rest: ArraySlice<UInt8>) {
            self.message = message
            self.rest = rest
        }
    }

    private func sendInParts() {
        messages += 1
        let size = dice.between(20, max(20, min(plan.messageSizeMax, plan.outbox.bytesMax)))
        let kind: MessageKind = dice.oneIn(2) ? .binary : .text
        var options = options()
        options.isNow = false
        let payload = Wording.message(messages, size: size)
        let head = payload.prefix(dice.below(payload.count))
        let admission = driver.send(kind, part: head, of: 0, isLast: false, options)
        guard case .accepted(let id) = admission else { return client.see(.refused(admission, size: head.count, isNow: false)) }
        let message = accepted(messages, id, size, kind, options, client.active?.epoch ?? 0, isUnfinished: true)
        let rest = UnfinishedMessage(message, rest: payload[head.endIndex...])
        unfinished.append(rest)
        goOn(rest)
    }

    private func goOn(_ part: UnfinishedMessage) {
        later(dice.magnitude(.milliseconds(1), .seconds(10))) {
            if $0.dice.oneIn(3) { return $0.finish(part) }
            let piece = part.rest.prefix($0.dice.below(part.rest.count + 1))
            if $0.hand(part, piece, isLast: false) { $0.goOn(part) }
        }
    }

    private func finish(_ part: UnfinishedMessage) {
        guard hand(part, part.rest, isLast: true) else { return }
        unfinished.removeAll { $0 === part }
    }

    /// False if there is nothing more to be done for this message now: what was refused for lack of space is tried again later.
    private func hand(_ part: UnfinishedMessage, _ piece: ArraySlice<UInt8>, isLast: Bool) -> Bool {
        guard part.message.isUnfinished else { return false }
        if isLast { part.message.isUnfinished = false }
        switch driver.send(part.message.kind, part: piece, of: part.message.id, isLast: isLast, part.message.options) {
        case .accepted:
            part.rest = part.rest[piece.endIndex...]
            if isLast { client.see(.completed(part.message)) }
            return true
        case .full:
            part.message.isUnfinished = true
            client.see(.refused(.full, size: piece.count, isNow: false))
            later(.seconds(1)) { if isLast { $0.finish(part) } else { $0.goOn(part) } }
            return false
        default:
            // It has an outcome, or the connection is closing.
            part.message.isUnfinished = true
            unfinished.removeAll { $0 === part }
            return false
        }
    }

    // MARK: Kept messages

    private func changeKept() {
        if dice.oneIn(4), let key = client.kept.keys.sorted().dropFirst(dice.below(max(1, client.kept.count))).first {
            remove(key)
        } else {
            keep()
        }
    }

    private func keep() {
        let key = dice.below(6)
        versions += 1
        let payload = Wording.kept(key, version: versions)
        let old = client.kept[key]
        switch driver.keep(ASCII.bytes("key") + [UInt8(0x30 + key)], .text, payload) {
        case .accepted:
            if old == nil { ranks += 1 }
            retire(old)
            let kept = Kept(key: key, version: versions, rank: old?.rank ?? ranks, since: world.machine.clock)
            client.kept[key] = kept
            client.see(.kept(kept))
        case let refusal: client.see(.keepRefused(refusal, size: payload.count))
        }
    }

    private func remove(_ key: Int) {
        switch driver.unkeep(ASCII.bytes("key") + [UInt8(0x30 + key)]) {
        case .accepted:
            guard let old = client.kept.removeValue(forKey: key) else { return }
            retire(old)
            client.see(.removed(old))
        case let refusal: client.see(.keepRefused(refusal, size: 0))
        }
    }

    private func retire(_ old: Kept?) {
        guard let old else { return }
        old.until = world.machine.clock
        client.keptBefore.append(old)
    }

    // MARK: Life

    private func rotate() {
        client.see(.rotationAsked)
        driver.rotate()
    }

    private func close() {
        let frame = CloseFrame(code: dice.pick([1000, 1001, 3000]), reason: [])
        client.see(.closeAsked(frame))
        if client.closeAsked == nil { client.closeAsked = frame }
        driver.close(frame)
        guard plan.cutsOff else { return }
        later(dice.time(.zero, .seconds(3))) {
            $0.client.see(.cutOffAsked)
            $0.driver.cutOff()
        }
    }

    private func release() {
        client.isReleaseAsked = true
        client.see(.releaseAsked)
        driver.release()
    }

    func happened(_ event: Event) {
        guard case .connectDue(let attemptId, _, _, let timeout) = event.kind else { return }
        switch dice.below(world.isCalm ? 6 : 10) {
        case 0...5: prepare(attemptId, after: .zero)
        case 6: prepare(attemptId, after: dice.time(.zero, timeout))
        case 7: prepare(attemptId, after: timeout + .seconds(1))
        case 8: return
        default: later(.zero) { $0.proceed(attemptId, .refusal) }
        }
    }

    private func prepare(_ attemptId: UInt64, after delay: Interval) {
        tokens += 1
        let token = tokens
        later(delay) { $0.proceed(attemptId, .token(token)) }
        // An answer that comes twice must do no harm.
        if dice.oneIn(10) { later(delay) { $0.proceed(attemptId, .token(token)) } }
    }

    private func proceed(_ attemptId: UInt64, _ preparation: Preparation) {
        client.see(.proceeded(attemptId, preparation))
        switch preparation {
        case .refusal: driver.proceed(attemptId, PreparedAttempt(failure: ASCII.bytes("no credentials")))
        case .token(let token):
            driver.proceed(attemptId, PreparedAttempt(ownFields: [[UInt8]("X-Token: \(token)".utf8)]))
        }
    }

    // MARK: The inbox

    func received() {
        if isOnBreak { waitingInInbox += 1 }
    }

    private func takeBreak() {
        guard !isOnBreak else { return }
        isOnBreak = true
        later(dice.waiting(plan.takesBreaks ?? .zero)) { $0.endBreak() }
    }

    private func endBreak() {
        isOnBreak = false
        waitingInInbox = 0
        driver.resumeReading()
    }

    var inboxWish: InboxWish {
        guard waitingInInbox >= plan.inboxMax else { return .none }
        return plan.closesWhenFull ? .close : .pause
    }
}
