export function ExperimentDetails() {
  return null;
}
