/// How one service keeps its connections alive, as data: what users, docs and `hw_preset_describe` get to know of it, and its rule.
package struct Preset {
    package let name: StaticString
    package let services: StaticString
    /// Where the service's behaviour was read.
    package let source: StaticString
    package let parameters: [PresetParameter]
    /// JSON in the language that Sources/Heartbeat/Rules/README.md describes.
    package let rule: StaticString

    /// A call takes less room than the same written out for each preset.
    @inline(never)
    init(
        name: StaticString, services: StaticString, source: StaticString, parameters: [PresetParameter] = [], rule: StaticString
    ) {
        self.name = name
        self.services = services
        self.source = source
        self.parameters = parameters
        self.rule = rule
    }
}

/// What an application may or must say so that a preset fits: a variable that the rule uses and no learn rule sets.
package struct PresetParameter {
    package let name: StaticString
    /// Of the value: "s", "ms", or "text" if it is none of time.
    package let unit: StaticString
    package let isRequired: Bool
    /// One line; says the default of an optional parameter.
    package let doc: StaticString
}
