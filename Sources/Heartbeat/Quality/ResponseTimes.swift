/// How a response time stands to its limits, from good to bad.
package enum ResponseLevel: UInt8 {
    case onTarget
    case aboveTarget
    case warning
    case critical
    case overdue
}

/// How long the answers of one connection to the server's requests took: the last hundred, all of them by size, and the level.
package struct ResponseTimes {
    /// A time that equals a limit is still within it.
    package struct Limits {
        package var target = Interval.milliseconds(500)
        package var warning = Interval.seconds(1)
        package var critical = Interval.seconds(2)
        package var timeout = Interval.seconds(3)

        package init() {}

        package func level(of time: Interval) -> ResponseLevel {
            if time > timeout { return .overdue }
            if time > critical { return .critical }
            if time > warning { return .warning }
            return time > target ? .aboveTarget : .onTarget
        }
    }

    private struct Measured {
        var level = Reported(ResponseLevel.onTarget)
        var window = ResponseWindow()
        var histogram = TimeHistogram()
    }

    /// One element with the first answer, so that a connection that answers nothing pays for a pointer only.
    private var measured: [Measured] = []

    package init() {}

    /// Gives the change of level if the time crossed a limit that its predecessor did not; before the first one the level is `onTarget`.
    package mutating func record(_ time: Interval, limits: Limits) -> Change<ResponseLevel>? {
        if measured.isEmpty { measured = [Measured()] }
        measured[0].window.record(time)
        measured[0].histogram.record(time)
        return measured[0].level.update(limits.level(of: time))
    }

    /// Of the last answer.
    package var level: ResponseLevel { measured.first?.level.value ?? .onTarget }

    /// Of the last hundred answers.
    package var recent: ResponseWindow.Summary { measured.first?.window.summary ?? .init() }

    /// Of all answers.
    package var all: TimeHistogram { measured.first?.histogram ?? .init() }
}
