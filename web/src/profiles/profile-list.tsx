import { Badge, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ProfileSummary } from "~/api/profiles";
import { counted } from "~/ui/format";
import { ORIGINS } from "./origins";
import classes from "./profiles.module.css";
import type { ProfilesSearch } from "./search-params";

interface ProfileListProps {
  profiles: readonly ProfileSummary[];
  shown: string;
  search: ProfilesSearch;
}

/** Every profile: those that are kept here first, then those of the home's folder, the built-in. */
export function ProfileList({ profiles, shown, search }: ProfileListProps) {
  return (
    <nav className={`card ${classes.list}`} aria-label="Profiles">
      {ORIGINS.map(({ origin, title }) => {
        const rows = profiles.filter((profile) => profile.origin === origin);
        if (rows.length === 0) return null;
        return (
          <div key={origin}>
            <Text className={classes.group} size="xs" fw={600} component="h2">
              {title}
            </Text>
            {rows.map((profile) => (
              <Link
                key={profile.name}
                to="/profiles"
                search={{ ...search, profile: profile.name }}
                className={classes.item}
                aria-current={profile.name === shown ? "true" : undefined}
              >
                <span className={`text-of-users ${classes.name}`}>{profile.name}</span>
                {profile.problem !== null && (
                  <Badge size="xs" color="red" variant="light">
                    broken
                  </Badge>
                )}
                {profile.tasks > 0 && (
                  <span className={`quiet ${classes.uses}`}>{counted(profile.tasks, "task")}</span>
                )}
              </Link>
            ))}
          </div>
        );
      })}
    </nav>
  );
}
