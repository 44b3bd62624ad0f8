export function TaskLog() {
  return null;
}
