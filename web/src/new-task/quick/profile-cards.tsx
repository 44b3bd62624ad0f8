import { Anchor, Badge, Checkbox, Skeleton, Text } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type ProfilePreview, profilePreviewsQuery } from "~/api/profiles";
import { counted, fieldName, setting } from "~/ui/format";
import type { JsonObject } from "../document/values";
import { circumstancesOf } from "./profile-circumstances";
import classes from "./quick.module.css";

interface ProfileCardsProps {
  /** The document whose model, devices and workload profiles are applied to; null before there is one. */
  content: JsonObject | null;
  chosen: readonly string[];
  onChange: (profiles: string[]) => void;
}

const PLACEHOLDERS = ["a", "b", "c", "d", "e"];

export function ProfileCards({ content, chosen, onChange }: ProfileCardsProps) {
  const previews = useQuery({
    ...profilePreviewsQuery(circumstancesOf(content)),
    placeholderData: keepPreviousData,
  });
  if (previews.data === undefined) {
    return (
      <div className={classes.profiles} aria-busy={previews.isFetching}>
        {PLACEHOLDERS.map((each) => (
          <Skeleton key={each} h={66} />
        ))}
      </div>
    );
  }
  const toggle = (profile: string, isChosen: boolean) =>
    onChange(isChosen ? [...chosen, profile] : chosen.filter((each) => each !== profile));
  return (
    <div className={classes.profiles}>
      {previews.data
        .filter((profile) => profile.name !== "base")
        .map((profile) => (
          <ProfileCard
            key={profile.name}
            profile={profile}
            place={chosen.indexOf(profile.name)}
            many={chosen.length > 1}
            onToggle={(isChosen) => toggle(profile.name, isChosen)}
          />
        ))}
    </div>
  );
}

interface ProfileCardProps {
  profile: ProfilePreview;
  /** Place among the chosen ones; below 0 where it is not chosen. */
  place: number;
  many: boolean;
  onToggle: (isChosen: boolean) => void;
}

function ProfileCard({ profile, place, many, onToggle }: ProfileCardProps) {
  const [isOpen, setOpen] = useState(false);
  const isChosen = place >= 0;
  const count = profile.settings.length;
  return (
    <div className={classes.profile} data-chosen={isChosen}>
      <Checkbox
        size="xs"
        radius="sm"
        classNames={{ description: classes.profileText }}
        checked={isChosen}
        disabled={profile.problem !== null && !isChosen}
        onChange={(event) => onToggle(event.currentTarget.checked)}
        label={
          <span className="text-of-users">
            <strong>{profile.title}</strong>
            {isChosen && many && (
              <Badge size="xs" variant="light" ml={6} title="Later ones win over earlier ones">
                {place + 1}
              </Badge>
            )}
          </span>
        }
        description={
          <span className="quiet text-of-users">{profile.problem ?? profile.description}</span>
        }
      />
      {profile.problem === null && (
        <Anchor
          component="button"
          type="button"
          size="xs"
          ml={28}
          aria-expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
        >
          {count === 0 ? "Sets nothing here" : `Sets ${counted(count, "field")} here`}
        </Anchor>
      )}
      {isOpen && <Settings profile={profile} />}
    </div>
  );
}

/** A value, or the values to try with commas between. */
function listed(value: unknown): string {
  return Array.isArray(value) ? value.map(setting).join(", ") : setting(value);
}

function Settings({ profile }: { profile: ProfilePreview }) {
  return (
    <ul className={classes.settings}>
      {profile.settings.map((each) => (
        <li key={each.field} className="text-of-users">
          <strong title={each.field}>{fieldName(each.field)}</strong> {listed(each.value)}
          <Text size="xs" className="quiet">
            {each.why}
          </Text>
        </li>
      ))}
      {profile.skipped.length > 0 && (
        <li className="quiet">
          <details>
            <summary>{counted(profile.skipped.length, "layer")} not for this case</summary>
            {profile.skipped.map((each) => (
              <div key={each.layer} className="text-of-users">
                {each.layer.split("/").at(-1)}: {each.reason}
              </div>
            ))}
          </details>
        </li>
      )}
    </ul>
  );
}
