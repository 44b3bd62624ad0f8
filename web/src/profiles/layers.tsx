import { Badge, Text } from "@mantine/core";
import type { Profile } from "~/api/profiles";
import { isObject, type Json, type JsonObject } from "~/new-task/document/values";
import { fieldName } from "~/ui/format";
import { layerName } from "./effects";
import classes from "./profiles.module.css";
import { textOf, wantedText } from "./written-values";

type Layer = Profile["layers"][number];

/** Layers as they are written, those of the profiles that it extends first. */
export function Layers({ profile }: { profile: Profile }) {
  if (profile.layers.length === 0) {
    return (
      <Text size="sm" className="quiet">
        It has no layers: it sets nothing.
      </Text>
    );
  }
  return (
    <ol className={classes.layers} aria-label="Layers">
      {profile.layers.map((layer, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: layers of one name differ by place alone.
        <li key={`${index}:${layer.layer}`} className={classes.layer}>
          <LayerHead layer={layer} isOwn={layer.layer.startsWith(`${profile.name}/`)} />
          <dl className={classes.settings}>
            {Object.entries(layer.set).map(([field, given]) => (
              <LayerSetting key={field} field={field} given={given} />
            ))}
          </dl>
        </li>
      ))}
    </ol>
  );
}

function LayerHead({ layer, isOwn }: { layer: Layer; isOwn: boolean }) {
  const conditions = Object.entries(layer.when);
  return (
    <div className={classes.layerHead}>
      <strong className="text-of-users">{layerName(layer.layer)}</strong>
      {!isOwn && (
        <Badge size="xs" variant="light" color="gray">
          of {layer.layer.split("/")[0]}
        </Badge>
      )}
      <span className="quiet">{conditions.length === 0 ? "always" : "where"}</span>
      {conditions.map(([fact, wanted]) => (
        <span key={fact} className={`text-of-users ${classes.condition}`}>
          {fact}: {wantedText(wanted)}
        </span>
      ))}
    </div>
  );
}

function LayerSetting({ field, given }: { field: string; given: unknown }) {
  const row: JsonObject = isObject(given) ? given : { value: given as Json };
  const isRule = typeof row.rule === "string";
  return (
    <div className={classes.setting}>
      <dt className="text-of-users" title={field}>
        {fieldName(field)}
      </dt>
      <dd className="text-of-users">
        {isRule ? <em>{String(row.rule)}</em> : textOf(row.value)}
        {row.why ? <span className="quiet"> {String(row.why)}</span> : null}
      </dd>
    </div>
  );
}
