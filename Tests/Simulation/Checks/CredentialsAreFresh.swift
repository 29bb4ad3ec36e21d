import Heartbeat
import Session

/// Each attempt asks before it connects, waits for the answer to its own question as long as it says and no longer, and goes by that answer.
final class CredentialsAreFresh: Checker {
    private var lastAsked: UInt64 = 0
    private var question: (id: UInt64, asked: Mark, timeout: Interval)?
    /// What the attempt under way was told to use, by its number.
    private var answers: [UInt64: Int] = [:]
    private var expected: Int?
    private var byLine: [Int: Int] = [:]

    override func see(_ fact: Fact) {
        guard plan.session.asksBeforeConnect else { return }
        switch fact {
        case .event(let event): take(event)
        case .proceeded(let id, .token(let token)): if answers[id] == nil { answers[id] = token }
        case .attemptBegan: attemptBegan()
        case .transportOpened(let line): byLine[line.number] = expected
        case .serverAsked(let peer, let token):
            let expected = byLine[peer.line.number]
            expect(token == expected, "connection \(peer.number) was asked for with token \(token ?? 0), not with \(expected ?? 0)")
        case .audit: checkQuestion()
        default: break
        }
    }

    private func take(_ event: Event) {
        switch event.kind {
        case .connectDue(let id, _, _, let timeout):
            expect(id > lastAsked, "the question \(id) comes after \(lastAsked)")
            lastAsked = id
            question = (id, mark, timeout)
        case .attemptFailed(.beforeConnect, _, _): question = nil
        default: break
        }
    }

    private func attemptBegan() {
        guard let question else { return fail("an attempt begins that nobody was asked about") }
        guard let token = answers[question.id] else { return fail("an attempt begins whose question \(question.id) was not answered") }
        expected = token
        self.question = nil
    }

    private func checkQuestion() {
        guard let question, client.closeAsked == nil, !client.isReleaseAsked else { return }
        let time = now - question.asked.time
        expect(time <= question.timeout + slack(since: question.asked), "the question \(question.id) has waited for \(time.text)")
    }
}
