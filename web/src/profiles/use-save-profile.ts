import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { createProfile, type NewProfile, replaceProfile } from "~/api/profiles";
import { profilesChanged } from "./profiles-changed";
import { circumstancesOf, type EditProfileSearch } from "./search-params";

interface Saved {
  profile: NewProfile;
  /** Version that is changed; null asks for no check. */
  etag: string | null;
}

/** Stores a profile, and shows it. */
export function useSaveProfile(
  search: EditProfileSearch,
  replaces: string | null,
  onSaved: () => void,
) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: ({ profile, etag }: Saved) => {
      const { name, ...content } = profile;
      return replaces === null ? createProfile(profile) : replaceProfile(name, content, etag);
    },
    onSuccess: ({ name }) => {
      onSaved();
      profilesChanged(queries, name);
      const kept = circumstancesOf({ ...search });
      void navigate({ to: "/profiles", search: { ...kept, profile: name } });
    },
  });
}
