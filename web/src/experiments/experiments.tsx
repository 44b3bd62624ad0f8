export function Experiments() {
  return null;
}
