/// All promises that a client is watched for.
enum Checkers {
    static func all(_ client: Client) -> [Checker] {
        [
            EventsAreInOrder(client), MessagesAreDelivered(client), MessagesAreSentOnce(client), AttemptsAreTimed(client),
            FinalIsFinal(client), BeatsKeepTime(client), AcksAreTrue(client), SilenceIsNoticed(client), AnswersAreInTime(client),
            QueueIsBounded(client), ClosingEnds(client), CountersAgree(client), Recovers(client),
        ]
    }
}
