-- Rows of a small database of version 1: `simple` and `slo` have finished, `vllm_bayesian` waits.
-- Made up, in version 1's units (seconds, tokens/s of the whole deployment).

INSERT INTO tasks (id, task_name, status, model_config, base_runtime, parameters, optimization_config, benchmark_config, deployment_mode, total_experiments, successful_experiments, best_experiment_id, created_at, started_at, completed_at, elapsed_time) VALUES (
  1,
  'simple',
  'COMPLETED',
  '{"id_or_path": "Qwen/Qwen2.5-7B-Instruct", "namespace": "autotuner"}',
  'sglang',
  '{"tp-size": [1, 2]}',
  '{"strategy": "grid_search", "objective": "maximize_throughput", "max_iterations": 10, "timeout_per_iteration": 600}',
  '{"task": "text-to-text", "model_name": "qwen", "model_tokenizer": "Qwen/Qwen2.5-7B-Instruct", "traffic_scenarios": ["D(512,128)"], "num_concurrency": [1, 8, 32], "max_time_per_iteration": 5, "max_requests_per_iteration": 200, "additional_params": {"temperature": 0.0}}',
  'docker',
  2,
  2,
  1,
  '2025-11-02 10:00:00.000000',
  '2025-11-02 10:00:02.000000',
  '2025-11-02 10:08:00.000000',
  478.0
);

INSERT INTO experiments (id, task_id, experiment_id, parameters, status, metrics, objective_score, gpu_info, service_name, created_at, started_at, completed_at, elapsed_time) VALUES (
  1,
  1,
  1,
  '{"tp-size": 1}',
  'SUCCESS',
  '{"num_result_files": 3, "concurrency_levels": [1, 8, 32], "raw_results": [{"scenario": "D(512,128)", "num_concurrency": 1, "run_duration": 193.75, "mean_output_throughput_tokens_per_s": 132.13, "mean_input_throughput_tokens_per_s": 528.51, "mean_total_tokens_throughput_tokens_per_s": 660.64, "requests_per_second": 1.0322, "error_rate": 0.0, "num_error_requests": 0, "num_completed_requests": 200, "num_requests": 200, "stats": {"ttft": {"min": 0.0189, "max": 0.05985, "mean": 0.0315, "stddev": 0.00473, "sum": 6.3, "p25": 0.02835, "p50": 0.03087, "p75": 0.03402, "p90": 0.0378, "p95": 0.04253, "p99": 0.0504}, "tpot": {"min": 0.00443, "max": 0.01402, "mean": 0.00738, "stddev": 0.00111, "sum": 1.476, "p25": 0.00664, "p50": 0.00723, "p75": 0.00797, "p90": 0.00886, "p95": 0.00996, "p99": 0.01181}, "e2e_latency": {"min": 0.58126, "max": 1.84064, "mean": 0.96876, "stddev": 0.14531, "sum": 193.752, "p25": 0.87188, "p50": 0.94938, "p75": 1.04626, "p90": 1.16251, "p95": 1.30783, "p99": 1.55002}, "output_latency": {"min": 0.56236, "max": 1.78079, "mean": 0.93726, "stddev": 0.14059, "sum": 187.452, "p25": 0.84353, "p50": 0.91851, "p75": 1.01224, "p90": 1.12471, "p95": 1.2653, "p99": 1.49962}}}, {"scenario": "D(512,128)", "num_concurrency": 8, "run_duration": 28.48, "mean_output_throughput_tokens_per_s": 898.81, "mean_input_throughput_tokens_per_s": 3595.25, "mean_total_tokens_throughput_tokens_per_s": 4494.07, "requests_per_second": 7.022, "error_rate": 0.0, "num_error_requests": 0, "num_completed_requests": 200, "num_requests": 200, "stats": {"ttft": {"min": 0.0252, "max": 0.0798, "mean": 0.042, "stddev": 0.0063, "sum": 8.4, "p25": 0.0378, "p50": 0.04116, "p75": 0.04536, "p90": 0.0504, "p95": 0.0567, "p99": 0.0672}, "tpot": {"min": 0.00518, "max": 0.01642, "mean": 0.00864, "stddev": 0.0013, "sum": 1.728, "p25": 0.00778, "p50": 0.00847, "p75": 0.00933, "p90": 0.01037, "p95": 0.01166, "p99": 0.01382}, "e2e_latency": {"min": 0.68357, "max": 2.16463, "mean": 1.13928, "stddev": 0.17089, "sum": 227.856, "p25": 1.02535, "p50": 1.11649, "p75": 1.23042, "p90": 1.36714, "p95": 1.53803, "p99": 1.82285}, "output_latency": {"min": 0.65837, "max": 2.08483, "mean": 1.09728, "stddev": 0.16459, "sum": 219.456, "p25": 0.98755, "p50": 1.07533, "p75": 1.18506, "p90": 1.31674, "p95": 1.48133, "p99": 1.75565}}}, {"scenario": "D(512,128)", "num_concurrency": 32, "run_duration": 10.77, "mean_output_throughput_tokens_per_s": 2375.98, "mean_input_throughput_tokens_per_s": 9503.92, "mean_total_tokens_throughput_tokens_per_s": 11879.9, "requests_per_second": 18.5623, "error_rate": 0.0, "num_error_requests": 0, "num_completed_requests": 200, "num_requests": 200, "stats": {"ttft": {"min": 0.0468, "max": 0.1482, "mean": 0.078, "stddev": 0.0117, "sum": 15.6, "p25": 0.0702, "p50": 0.07644, "p75": 0.08424, "p90": 0.0936, "p95": 0.1053, "p99": 0.1248}, "tpot": {"min": 0.00778, "max": 0.02462, "mean": 0.01296, "stddev": 0.00194, "sum": 2.592, "p25": 0.01166, "p50": 0.0127, "p75": 0.014, "p90": 0.01555, "p95": 0.0175, "p99": 0.02074}, "e2e_latency": {"min": 1.03435, "max": 3.27545, "mean": 1.72392, "stddev": 0.25859, "sum": 344.784, "p25": 1.55153, "p50": 1.68944, "p75": 1.86183, "p90": 2.0687, "p95": 2.32729, "p99": 2.75827}, "output_latency": {"min": 0.98755, "max": 3.12725, "mean": 1.64592, "stddev": 0.24689, "sum": 329.184, "p25": 1.48133, "p50": 1.613, "p75": 1.77759, "p90": 1.9751, "p95": 2.22199, "p99": 2.63347}}}], "mean_e2e_latency": 1.27732, "mean_ttft": 0.0505, "mean_tpot": 0.00966, "mean_output_throughput": 1135.64, "mean_total_throughput": 5678.20333, "total_requests": 600, "success_rate": 1.0, "elapsed_time": 233.0, "benchmark_name": "simple-exp1", "mean_total_throughput_per_gpu": 5678.20333}',
  -5678.20333,
  '{"model": "NVIDIA H100 80GB HBM3", "count": 1, "device_ids": ["0"]}',
  'task-1-exp1',
  '2025-11-02 10:01:00.000000',
  '2025-11-02 10:01:05.000000',
  '2025-11-02 10:01:59.000000',
  54.0
);

INSERT INTO experiments (id, task_id, experiment_id, parameters, status, metrics, objective_score, gpu_info, service_name, created_at, started_at, completed_at, elapsed_time) VALUES (
  2,
  1,
  2,
  '{"tp-size": 2}',
  'SUCCESS',
  '{"num_result_files": 3, "concurrency_levels": [1, 8, 32], "raw_results": [{"scenario": "D(512,128)", "num_concurrency": 1, "run_duration": 121.57, "mean_output_throughput_tokens_per_s": 210.58, "mean_input_throughput_tokens_per_s": 842.33, "mean_total_tokens_throughput_tokens_per_s": 1052.91, "requests_per_second": 1.6452, "error_rate": 0.0, "num_error_requests": 0, "num_completed_requests": 200, "num_requests": 200, "stats": {"ttft": {"min": 0.01323, "max": 0.0419, "mean": 0.02205, "stddev": 0.00331, "sum": 4.41, "p25": 0.01985, "p50": 0.02161, "p75": 0.02381, "p90": 0.02646, "p95": 0.02977, "p99": 0.03528}, "tpot": {"min": 0.00277, "max": 0.00876, "mean": 0.00461, "stddev": 0.00069, "sum": 0.9225, "p25": 0.00415, "p50": 0.00452, "p75": 0.00498, "p90": 0.00553, "p95": 0.00623, "p99": 0.00738}, "e2e_latency": {"min": 0.3647, "max": 1.15489, "mean": 0.60784, "stddev": 0.09118, "sum": 121.5675, "p25": 0.54705, "p50": 0.59568, "p75": 0.65646, "p90": 0.7294, "p95": 0.82058, "p99": 0.97254}, "output_latency": {"min": 0.35147, "max": 1.113, "mean": 0.58579, "stddev": 0.08787, "sum": 117.1575, "p25": 0.52721, "p50": 0.57407, "p75": 0.63265, "p90": 0.70294, "p95": 0.79081, "p99": 0.93726}}}, {"scenario": "D(512,128)", "num_concurrency": 8, "run_duration": 17.88, "mean_output_throughput_tokens_per_s": 1431.77, "mean_input_throughput_tokens_per_s": 5727.07, "mean_total_tokens_throughput_tokens_per_s": 7158.84, "requests_per_second": 11.1857, "error_rate": 0.0, "num_error_requests": 0, "num_completed_requests": 200, "num_requests": 200, "stats": {"ttft": {"min": 0.01764, "max": 0.05586, "mean": 0.0294, "stddev": 0.00441, "sum": 5.88, "p25": 0.02646, "p50": 0.02881, "p75": 0.03175, "p90": 0.03528, "p95": 0.03969, "p99": 0.04704}, "tpot": {"min": 0.00324, "max": 0.01026, "mean": 0.0054, "stddev": 0.00081, "sum": 1.08, "p25": 0.00486, "p50": 0.00529, "p75": 0.00583, "p90": 0.00648, "p95": 0.00729, "p99": 0.00864}, "e2e_latency": {"min": 0.42912, "max": 1.35888, "mean": 0.7152, "stddev": 0.10728, "sum": 143.04, "p25": 0.64368, "p50": 0.7009, "p75": 0.77242, "p90": 0.85824, "p95": 0.96552, "p99": 1.14432}, "output_latency": {"min": 0.41148, "max": 1.30302, "mean": 0.6858, "stddev": 0.10287, "sum": 137.16, "p25": 0.61722, "p50": 0.67208, "p75": 0.74066, "p90": 0.82296, "p95": 0.92583, "p99": 1.09728}}}, {"scenario": "D(512,128)", "num_concurrency": 32, "run_duration": 6.77, "mean_output_throughput_tokens_per_s": 3781.04, "mean_input_throughput_tokens_per_s": 15124.16, "mean_total_tokens_throughput_tokens_per_s": 18905.2, "requests_per_second": 29.5394, "error_rate": 0.0, "num_error_requests": 0, "num_completed_requests": 200, "num_requests": 200, "stats": {"ttft": {"min": 0.03276, "max": 0.10374, "mean": 0.0546, "stddev": 0.00819, "sum": 10.92, "p25": 0.04914, "p50": 0.05351, "p75": 0.05897, "p90": 0.06552, "p95": 0.07371, "p99": 0.08736}, "tpot": {"min": 0.00486, "max": 0.01539, "mean": 0.0081, "stddev": 0.00121, "sum": 1.62, "p25": 0.00729, "p50": 0.00794, "p75": 0.00875, "p90": 0.00972, "p95": 0.01094, "p99": 0.01296}, "e2e_latency": {"min": 0.64998, "max": 2.05827, "mean": 1.0833, "stddev": 0.16249, "sum": 216.66, "p25": 0.97497, "p50": 1.06163, "p75": 1.16996, "p90": 1.29996, "p95": 1.46246, "p99": 1.73328}, "output_latency": {"min": 0.61722, "max": 1.95453, "mean": 1.0287, "stddev": 0.1543, "sum": 205.74, "p25": 0.92583, "p50": 1.00813, "p75": 1.111, "p90": 1.23444, "p95": 1.38875, "p99": 1.64592}}}], "mean_e2e_latency": 0.80211, "mean_ttft": 0.03535, "mean_tpot": 0.00604, "mean_output_throughput": 1807.79667, "mean_total_throughput": 9038.98333, "total_requests": 600, "success_rate": 1.0, "elapsed_time": 146.22, "benchmark_name": "simple-exp2", "mean_total_throughput_per_gpu": 4519.49166}',
  -4519.49166,
  '{"model": "NVIDIA H100 80GB HBM3", "count": 2, "device_ids": ["0", "1"]}',
  'task-1-exp2',
  '2025-11-02 10:05:00.000000',
  '2025-11-02 10:05:05.000000',
  '2025-11-02 10:05:59.000000',
  54.0
);

INSERT INTO tasks (id, task_name, status, model_config, base_runtime, parameters, optimization_config, benchmark_config, slo_config, deployment_mode, total_experiments, successful_experiments, best_experiment_id, created_at, started_at, completed_at, elapsed_time) VALUES (
  2,
  'slo',
  'COMPLETED',
  '{"id_or_path": "Qwen/Qwen2.5-7B-Instruct", "namespace": "autotuner"}',
  'sglang',
  '{"tp-size": [1, 2]}',
  '{"strategy": "grid_search", "objective": "maximize_throughput", "max_iterations": 10, "timeout_per_iteration": 600}',
  '{"task": "text-to-text", "model_name": "qwen", "model_tokenizer": "Qwen/Qwen2.5-7B-Instruct", "traffic_scenarios": ["D(512,128)"], "num_concurrency": [1, 8, 32], "max_time_per_iteration": 5, "max_requests_per_iteration": 200, "additional_params": {"temperature": 0.0}}',
  '{"latency": {"p90": {"threshold": 4.0, "weight": 2.0, "hard_fail": true, "fail_ratio": 0.3}}, "ttft": {"threshold": 0.8, "weight": 2.0, "hard_fail": false}, "tpot": {"threshold": 0.04, "weight": 1.0}, "steepness": 0.1}',
  'docker',
  2,
  1,
  3,
  '2025-11-02 11:00:00.000000',
  '2025-11-02 11:00:02.000000',
  '2025-11-02 11:08:00.000000',
  478.0
);

INSERT INTO experiments (id, task_id, experiment_id, parameters, status, metrics, objective_score, gpu_info, service_name, created_at, started_at, completed_at, elapsed_time) VALUES (
  3,
  2,
  1,
  '{"tp-size": 2}',
  'SUCCESS',
  '{"num_result_files": 3, "concurrency_levels": [1, 8, 32], "raw_results": [{"scenario": "D(512,128)", "num_concurrency": 1, "run_duration": 126.98, "mean_output_throughput_tokens_per_s": 201.6, "mean_input_throughput_tokens_per_s": 806.4, "mean_total_tokens_throughput_tokens_per_s": 1008.0, "requests_per_second": 1.575, "error_rate": 0.0, "num_error_requests": 0, "num_completed_requests": 200, "num_requests": 200, "stats": {"ttft": {"min": 0.01386, "max": 0.04389, "mean": 0.0231, "stddev": 0.00346, "sum": 4.62, "p25": 0.02079, "p50": 0.02264, "p75": 0.02495, "p90": 0.02772, "p95": 0.03119, "p99": 0.03696}, "tpot": {"min": 0.00289, "max": 0.00915, "mean": 0.00482, "stddev": 0.00072, "sum": 0.9635, "p25": 0.00434, "p50": 0.00472, "p75": 0.0052, "p90": 0.00578, "p95": 0.0065, "p99": 0.00771}, "e2e_latency": {"min": 0.38095, "max": 1.20635, "mean": 0.63492, "stddev": 0.09524, "sum": 126.9845, "p25": 0.57143, "p50": 0.62222, "p75": 0.68572, "p90": 0.76191, "p95": 0.85715, "p99": 1.01588}, "output_latency": {"min": 0.36709, "max": 1.16246, "mean": 0.61182, "stddev": 0.09177, "sum": 122.3645, "p25": 0.55064, "p50": 0.59959, "p75": 0.66077, "p90": 0.73419, "p95": 0.82596, "p99": 0.97892}}}, {"scenario": "D(512,128)", "num_concurrency": 8, "run_duration": 18.68, "mean_output_throughput_tokens_per_s": 1370.67, "mean_input_throughput_tokens_per_s": 5482.68, "mean_total_tokens_throughput_tokens_per_s": 6853.35, "requests_per_second": 10.7084, "error_rate": 0.0, "num_error_requests": 0, "num_completed_requests": 200, "num_requests": 200, "stats": {"ttft": {"min": 0.01848, "max": 0.05852, "mean": 0.0308, "stddev": 0.00462, "sum": 6.16, "p25": 0.02772, "p50": 0.03018, "p75": 0.03326, "p90": 0.03696, "p95": 0.04158, "p99": 0.04928}, "tpot": {"min": 0.00338, "max": 0.01072, "mean": 0.00564, "stddev": 0.00085, "sum": 1.128, "p25": 0.00508, "p50": 0.00553, "p75": 0.00609, "p90": 0.00677, "p95": 0.00761, "p99": 0.00902}, "e2e_latency": {"min": 0.44825, "max": 1.41945, "mean": 0.74708, "stddev": 0.11206, "sum": 149.416, "p25": 0.67237, "p50": 0.73214, "p75": 0.80685, "p90": 0.8965, "p95": 1.00856, "p99": 1.19533}, "output_latency": {"min": 0.42977, "max": 1.36093, "mean": 0.71628, "stddev": 0.10744, "sum": 143.256, "p25": 0.64465, "p50": 0.70195, "p75": 0.77358, "p90": 0.85954, "p95": 0.96698, "p99": 1.14605}}}, {"scenario": "D(512,128)", "num_concurrency": 32, "run_duration": 7.07, "mean_output_throughput_tokens_per_s": 3619.59, "mean_input_throughput_tokens_per_s": 14478.36, "mean_total_tokens_throughput_tokens_per_s": 18097.95, "requests_per_second": 28.278, "error_rate": 0.0, "num_error_requests": 0, "num_completed_requests": 200, "num_requests": 200, "stats": {"ttft": {"min": 0.03432, "max": 0.10868, "mean": 0.0572, "stddev": 0.00858, "sum": 11.44, "p25": 0.05148, "p50": 0.05606, "p75": 0.06178, "p90": 0.06864, "p95": 0.07722, "p99": 0.09152}, "tpot": {"min": 0.00508, "max": 0.01607, "mean": 0.00846, "stddev": 0.00127, "sum": 1.692, "p25": 0.00761, "p50": 0.00829, "p75": 0.00914, "p90": 0.01015, "p95": 0.01142, "p99": 0.01354}, "e2e_latency": {"min": 0.67897, "max": 2.15008, "mean": 1.13162, "stddev": 0.16974, "sum": 226.324, "p25": 1.01846, "p50": 1.10899, "p75": 1.22215, "p90": 1.35794, "p95": 1.52769, "p99": 1.81059}, "output_latency": {"min": 0.64465, "max": 2.0414, "mean": 1.07442, "stddev": 0.16116, "sum": 214.884, "p25": 0.96698, "p50": 1.05293, "p75": 1.16037, "p90": 1.2893, "p95": 1.45047, "p99": 1.71907}}}], "mean_e2e_latency": 0.83787, "mean_ttft": 0.03703, "mean_tpot": 0.00631, "mean_output_throughput": 1730.62, "mean_total_throughput": 8653.1, "total_requests": 600, "success_rate": 1.0, "elapsed_time": 152.73, "benchmark_name": "slo-exp1", "mean_total_throughput_per_gpu": 4326.55}',
  -4326.55,
  '{"model": "NVIDIA H100 80GB HBM3", "count": 2, "device_ids": ["0", "1"]}',
  'task-2-exp1',
  '2025-11-02 11:01:00.000000',
  '2025-11-02 11:01:05.000000',
  '2025-11-02 11:01:59.000000',
  54.0
);

INSERT INTO experiments (id, task_id, experiment_id, parameters, status, error_message, objective_score, gpu_info, service_name, created_at, started_at, completed_at, elapsed_time) VALUES (
  4,
  2,
  2,
  '{"tp-size": 1}',
  'FAILED',
  'CUDA out of memory',
  300.0,
  '{"model": "NVIDIA H100 80GB HBM3", "count": 1, "device_ids": ["0"]}',
  'task-2-exp2',
  '2025-11-02 11:05:00.000000',
  '2025-11-02 11:05:05.000000',
  '2025-11-02 11:05:59.000000',
  54.0
);

INSERT INTO tasks (id, task_name, status, model_config, base_runtime, runtime_image_tag, parameters, optimization_config, benchmark_config, deployment_mode, total_experiments, successful_experiments, created_at) VALUES (
  3,
  'vllm_bayesian',
  'PENDING',
  '{"id_or_path": "Qwen/Qwen2.5-7B-Instruct", "namespace": "autotuner"}',
  'vllm',
  'v0.11.0',
  '{"tensor-parallel-size": [1, 2, 4], "gpu-memory-utilization": [0.85, 0.92], "max-num-seqs": [64, 256], "enable-chunked-prefill": ["true", "false"]}',
  '{"strategy": "bayesian", "objective": "minimize_ttft", "max_iterations": 20, "n_initial_random": 5, "timeout_per_iteration": 900}',
  '{"task": "text-to-text", "model_name": "qwen", "model_tokenizer": "Qwen/Qwen2.5-7B-Instruct", "traffic_scenarios": ["D(512,128)"], "num_concurrency": [1, 8, 32], "max_time_per_iteration": 5, "max_requests_per_iteration": 200, "additional_params": {"temperature": 0.0}}',
  'docker',
  0,
  0,
  '2025-11-02 12:00:00.000000'
);

INSERT INTO parameter_presets (id, name, description, category, runtime, is_system, parameters, created_at, updated_at) VALUES (
  1,
  'Memory Efficient',
  'for small GPUs',
  'memory',
  'sglang',
  1,
  '{"tp-size": [1], "mem-fraction-static": [0.7, 0.75]}',
  '2025-11-01 00:00:00',
  '2025-11-01 00:00:00'
);
