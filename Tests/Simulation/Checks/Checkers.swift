/// All promises that a client is watched for.
enum Checkers {
    static func all(_ client: Client) -> [Checker] {
        [
            EventsAreInOrder(client), MessagesAreDelivered(client), MessagesAreSentOnce(client), OutcomesAreTrue(client), NowIsNow(client),
            NothingExpiredIsSent(client), QueueIsBounded(client), ScriptComesFirst(client), KeptAreReplayed(client),
            CredentialsAreFresh(client), AttemptsAreTimed(client), HostsAreSpared(client), FinalIsFinal(client), GapsAreTold(client),
            RotationsLoseNothing(client), OldConnectionsLinger(client),
            BeatsKeepTime(client), AcksAreTrue(client), SilenceIsNoticed(client), AnswersAreInTime(client), ClosingEnds(client),
            CountersAgree(client), Recovers(client),
        ]
    }
}
