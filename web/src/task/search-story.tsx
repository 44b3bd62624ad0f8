export function SearchStory() {
  return null;
}
