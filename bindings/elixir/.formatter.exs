[
  inputs: ["{mix,.formatter}.exs", "{mix_tasks,lib,test,examples}/**/*.{ex,exs}"]
]
